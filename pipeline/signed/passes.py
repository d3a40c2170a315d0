"""PURE: who may look at which sites, and until when.

A pass is a token that one of our keys has signed. It gives read access and nothing else.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from pipeline.signed.signature import seal, unseal
from schemas.fields import Site

_CONTEXT = b"touchstream live v1\0"
_LONGEST_TOKEN = 4096


class Pass(Struct, array_like=True, frozen=True):
    """The sites that may be read (empty: all), until `expires`, in seconds since 1970."""

    sites: tuple[Site, ...]
    expires: Annotated[int, Meta(ge=0)]

    def covers(self, site: str) -> bool:
        """Tell whether it opens `site`."""
        return not self.sites or site in self.sites


_passes = msgspec.json.Decoder(Pass)


def issue(granted: Pass, keys: Sequence[str]) -> str:
    """Give the token of a pass, signed with the first of `keys`.

    Raises:
        msgspec.ValidationError: a site is none.
    """
    content = msgspec.json.encode(granted)
    _passes.decode(content)
    return seal(content, keys[0], _CONTEXT)


def admitted(token: str, keys: Iterable[str], now: datetime) -> Pass | None:
    """Give the pass in a token; None if none of our keys has signed it, or it has expired."""
    said = unseal(token[: _LONGEST_TOKEN + 1], keys, _CONTEXT)
    if said is None:
        return None
    granted = _passes.decode(said)
    return granted if now.timestamp() < granted.expires else None
