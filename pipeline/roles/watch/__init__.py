"""Alerts about the shop: `loop` → `rounds` → `reader` count, `site` → `judge` → `evidence` decide.

What is usual stands in `rates` and `volumes`; `alerts` writes it down, `delivery` tells people.
"""

from importlib.util import find_spec

from schemas.errors import TouchstreamError


class WatchNotInstalled(TouchstreamError):
    """The arithmetic of the alerts is an extra; the text says how to install it."""


if not find_spec("numpy"):
    raise WatchNotInstalled("the watch needs numpy; run: pip install 'touchstream[watch]'")
