"""PURE: how many dead letters are too many, so that the fault must be elsewhere.

One refused row in ten thousand is a dead letter. If nearly all rows are refused, a table or a
contract has changed, and diverting them all would be another way to lose them. So beyond the limit
a process stops and commits nothing: it reads the same records again when the cause is gone.
"""

import re
from contextlib import suppress

import msgspec

from schemas.errors import TouchstreamError
from schemas.fields import Site

_OF = 10_000
"""The share is computed over the newest ten to twenty thousand records."""


class TooManyRefused(TouchstreamError):
    """Nearly all records are refused; the text says what to do."""


class Refusals:
    """Counts accepted and refused records; a limit of 0 means no limit."""

    def __init__(self, run: int, share: float) -> None:
        self._run_limit = run
        self._share_limit = share
        self._run = self._refused = self._all = 0

    def count(self, taken: int, refused: int) -> None:
        """Count records as accepted or refused.

        Raises:
            TooManyRefused: the limit is exceeded.
        """
        self._run = refused if taken else self._run + refused
        self._refused, self._all = self._refused + refused, self._all + taken + refused
        if self._run_limit and self._run > self._run_limit:
            raise TooManyRefused(f"{self._run:,} in a row were refused: {_WHAT_TO_DO}")
        if self._all < _OF:
            return
        share = self._refused / self._all
        if self._share_limit and share > self._share_limit:
            raise TooManyRefused(f"{share:.0%} of {self._all:,} were refused: {_WHAT_TO_DO}")
        if self._all > 2 * _OF:
            self._refused, self._all = self._refused // 2, self._all // 2


_WHAT_TO_DO = (
    "nothing more is diverted or committed. Look at `touchstream dead-letters list`, mend the "
    "cause, and start again; or, to divert all the same, set TOUCHSTREAM_DEAD_LETTERS_RUN and "
    "TOUCHSTREAM_DEAD_LETTERS_SHARE to 0"
)


class _OfSite(msgspec.Struct):
    site: Site = ""


_SITE_IN_TEXT = re.compile(rb'"site"\s*:\s*"([a-z0-9._-]{1,63})"')


def site_in(text: bytes) -> str:
    """Return the site that refused input names, so that an erasure finds it; empty if none.

    It may be cut off, or stand inside something else, as a touchpoint that is told again does.
    """
    with suppress(msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        if site := msgspec.json.decode(text, type=_OfSite).site:
            return site
    found = _SITE_IN_TEXT.search(text)
    return found[1].decode() if found else ""
