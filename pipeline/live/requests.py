"""What a site's pages and servers sent in the last minutes, and what became of it. Shell.

The collector knows what it accepted and why it refused the rest. The tables know how accepted
touchpoints were judged.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import aiohttp
from pydantic import ValidationError

from pipeline.live.answers import Denied
from pipeline.reports.live.feed import Key
from pipeline.settings import Settings
from pipeline.signed.passes import Pass, issue
from schemas.calls import Seen, SeenTouchpoint
from schemas.touchpoint import visitor_of


@dataclass(frozen=True, kw_only=True)
class Sent:
    """One touchpoint of a request and what became of it, or why it was refused."""

    at: datetime
    path: str
    network: str
    origin: str
    outcome: str
    name: str = ""
    touchpoint_id: str = ""
    became: str = ""
    error: str = ""
    detail: str = ""


_PASS_LIFE = timedelta(minutes=1)
_PATIENCE = aiohttp.ClientTimeout(total=5)


def times_in(seen: Seen) -> dict[Key, datetime]:
    """Return the time of each touchpoint, by its key."""
    touchpoints = (each for request in seen.requests for each in request.touchpoints)
    return {_key(each): each.occurred_at for each in touchpoints}


def judged(seen: Seen, became: Mapping[Key, Any]) -> Seen:
    """Add what became of each touchpoint."""
    for request in seen.requests:
        for each in request.touchpoints:
            each.became = became.get(_key(each), "")
    return seen


def _key(each: SeenTouchpoint) -> Key:
    return visitor_of(each.anonymous_id, each.user_id), each.touchpoint_id


def line_by_line(seen: Seen) -> Iterator[Sent]:
    """Yield a line for each touchpoint and refusal of each request; one for a request without."""
    for request in seen.requests:
        whole = Sent(**{name: getattr(request, name) for name in _OF_REQUEST})
        for touchpoint in request.touchpoints:
            yield replace(
                whole,
                name=touchpoint.name,
                touchpoint_id=touchpoint.touchpoint_id,
                became=touchpoint.became,
            )
        for refused in request.refused:
            yield replace(whole, error=refused.error, detail=refused.detail)
        if not request.touchpoints and not request.refused:
            yield replace(whole, error=request.error, detail=request.detail)


_OF_REQUEST = ("at", "path", "network", "origin", "outcome")


async def read_requests(
    settings: Settings, site: str, granted: Pass, clock: Callable[[], datetime]
) -> Seen:
    """Ask the collector on behalf of the holder of `granted`; nothing is judged yet.

    Raises:
        Denied: the collector does not answer, or does not know the keys of the live page.
    """
    url = settings.live_collector or settings.public_url
    mine = Pass(granted.sites, int((clock() + _PASS_LIFE).timestamp()))
    token = issue(mine, [key.get_secret_value() for key in settings.live_keys])
    headers = {"Authorization": f"Bearer {token}"}
    try:
        async with (
            aiohttp.ClientSession(timeout=_PATIENCE, headers=headers) as session,
            session.get(f"{url}/v1/debug", params={"site": site}) as answer,
        ):
            said: Any = await answer.json(content_type=None)
            if answer.status != 200:  # noqa: PLR2004 - of HTTP
                raise Denied(503, "no_collector", f"{url}: {said['detail']}")
            return Seen.model_validate(said)
    except (aiohttp.ClientError, TimeoutError, ValueError, KeyError, ValidationError) as error:
        raise Denied(503, "no_collector", f"{url} does not answer as a collector") from error
