"""Alerts about the shop: `loop` → `rounds` → `reader` count, `site` → `judge` → `evidence` decide.

`rates` and `volumes` know what is usual; `alerts` describes an alert, `delivery` sends it.
"""

from importlib.util import find_spec

from schemas.errors import TouchstreamError


class WatchNotInstalled(TouchstreamError):
    """The extra with the arithmetic is not installed; the text says how to install it."""


if not find_spec("numpy"):
    raise WatchNotInstalled("the watch needs numpy; run: pip install 'touchstream[watch]'")
