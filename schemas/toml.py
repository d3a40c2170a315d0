"""TOML as people's editors save it. Floor 1: imports nothing of ours."""

import codecs
import tomllib
from typing import Any

_WIDE = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


class NotToml(ValueError):
    """A text that is no TOML, or not in UTF-8; the text says what to do."""


def parsed_toml(raw: bytes) -> dict[str, Any]:
    """Read TOML, with or without a byte-order mark before it.

    Raises:
        NotToml: it cannot be read.
    """
    if raw.startswith(_WIDE) or b"\0" in raw[:2]:
        raise NotToml("not UTF-8 but UTF-16: save it as UTF-8")
    try:
        return tomllib.loads(raw.decode("utf-8-sig"))
    except UnicodeDecodeError:
        raise NotToml("not UTF-8: save it as UTF-8") from None
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise NotToml(f"not TOML: {error}") from None
