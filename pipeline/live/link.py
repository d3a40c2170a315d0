"""A link that opens the live page. Shell: asks the clock."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import msgspec

from pipeline.passes import Pass, issue
from pipeline.settings import BadSettings, Settings


def link_to(settings: Settings, sites: Sequence[str] = (), life: timedelta | None = None) -> str:
    """Give a link for `sites`, none: all, that opens the page for the time `life`.

    Raises:
        BadSettings: there is no key to sign it with, or a site is none.
    """
    if not settings.live_keys:
        raise BadSettings(
            "there is no key to sign links to the live page: set TOUCHSTREAM_LIVE_KEYS"
        )
    expires = datetime.now(UTC) + (life or settings.live_link_lifetime)
    granted = Pass(sites=tuple(sites), expires=int(expires.timestamp()))
    try:
        token = issue(granted, [key.get_secret_value() for key in settings.live_keys])
    except msgspec.ValidationError as error:
        raise BadSettings(f"no site {', '.join(sites)}: {error}") from None
    return f"{settings.live_address}/?token={token}"
