"""A link that opens the live page. Shell: reads the clock."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import msgspec

from pipeline.settings import BadSettings, Settings
from pipeline.signed.passes import Pass, issue


def link_to(settings: Settings, sites: Sequence[str] = (), life: timedelta | None = None) -> str:
    """Return a link that opens the page for the time `life`; without `sites`, for all of them.

    Raises:
        BadSettings: there is no key to sign it with, or a site's name is invalid.
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
