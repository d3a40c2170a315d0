"""What comes in beside tracking calls: newsletter links and webhooks. Shell: reads and counts.

Each door decides by itself what a request means; here is only what they share: the body within
its limits, Kafka's acknowledgement before a 2xx, and the words for what goes wrong.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable
from datetime import datetime

from granian.rsgi import HTTPProtocol, Scope  # type: ignore[attr-defined]  # as in server.py
from pydantic import SecretStr

from pipeline.collector import body
from pipeline.collector.answers import ACCEPTED, Answer, Problem, TurnedAway, refusal
from pipeline.collector.arrival import Arrival
from pipeline.collector.collect import Collected
from pipeline.collector.links import PATH as LINKS
from pipeline.collector.newsletter import Newsletter
from pipeline.collector.privacy import truncated_ip
from pipeline.collector.pseudonyms import Pseudonyms
from pipeline.collector.webhooks.delivery import Delivery
from pipeline.collector.webhooks.receive import PROVIDERS, Webhooks
from pipeline.metrics import COLLECTOR_CLICKS_LOST, COLLECTOR_REFUSED
from pipeline.producer import NotAcknowledged
from pipeline.settings import Settings

_log = logging.getLogger(__name__)

_BODY_SECONDS = 10.0
_CLICK_SECONDS = 0.5
"""How long somebody who has clicked waits for Kafka, not longer."""

_WEBHOOKS = "/v1/webhooks/"

Keep = Callable[[Collected], Awaitable[None]]
"""Writes what was collected; NotAcknowledged if Kafka did not take it."""

Door = Callable[[str, Scope, HTTPProtocol], Awaitable[Answer]]
"""Answers a request; it is given the path behind the door's own."""


class SideDoors:
    """The doors of `settings`."""

    def __init__(self, settings: Settings, clock: Callable[[], datetime], keep: Keep) -> None:
        self._settings = settings
        self._clock = clock
        self._keep = keep
        self._clicks: set[asyncio.Task[None]] = set()
        pseudonyms = Pseudonyms(settings.site_salt.get_secret_value())
        self._newsletter = Newsletter(_told(settings.link_keys), pseudonyms, settings.site_hosts)
        secrets = {place: _told(each) for place, each in settings.provider_secrets.items()}
        self._webhooks = Webhooks(secrets, pseudonyms, settings.collector_max_event)
        self._doors: dict[str, Door] = {LINKS: self._follow, _WEBHOOKS: self._receive}

    async def answer(self, scope: Scope, protocol: HTTPProtocol) -> Answer | None:
        """Answer a request to one of the doors; None if its path leads to none of them."""
        for path, door in self._doors.items():
            if scope.path.startswith(path):
                return await self._through(door, scope.path[len(path) :], scope, protocol)
        return None

    async def _through(self, door: Door, rest: str, scope: Scope, protocol: HTTPProtocol) -> Answer:
        try:
            return await door(rest, scope, protocol)
        except TurnedAway as why:
            COLLECTOR_REFUSED.labels(why.code).inc()
            return refusal(why.code, why.detail)
        except NotAcknowledged:
            return refusal(Problem.UNAVAILABLE, "Kafka has not acknowledged it; send it again")

    # --- newsletter links -------------------------------------------------------------------------

    async def _follow(self, token: str, scope: Scope, protocol: HTTPProtocol) -> Answer:
        content = await self._body(scope, protocol) if scope.method == "POST" else b""
        arrival = Arrival("", self._clock(), ip=truncated_ip(scope.client))
        followed = self._newsletter.follow(scope.method, token, scope.headers, arrival, content)
        if followed.touchpoint is None:
            return followed.answer
        collected = Collected(arrival)
        collected.keep(followed.touchpoint)
        await (self._keep_click(collected) if followed.must_answer else self._keep(collected))
        return followed.answer

    async def _keep_click(self, collected: Collected) -> None:
        """Write, but wait for Kafka no longer than a person does for a page."""
        keeping = asyncio.create_task(self._keep_or_count(collected))
        self._clicks.add(keeping)
        keeping.add_done_callback(self._clicks.discard)
        await asyncio.wait([keeping], timeout=_CLICK_SECONDS)

    async def _keep_or_count(self, collected: Collected) -> None:
        try:
            await self._keep(collected)
        except NotAcknowledged as error:
            COLLECTOR_CLICKS_LOST.labels(collected.arrival.site).inc()
            _log.warning("a click in a newsletter is lost: %s", error)

    # --- providers' webhooks ----------------------------------------------------------------------

    async def _receive(self, place: str, scope: Scope, protocol: HTTPProtocol) -> Answer:
        self._webhooks.check(place)
        if scope.method in {"GET", "HEAD"}:  # Mailchimp and Mandrill look whether somebody is there
            return ACCEPTED
        arrival = Arrival(place.partition("/")[2], self._clock())
        delivery = Delivery(
            url=self._settings.public_url + _with_query(scope),
            query=scope.query_string,
            headers=scope.headers,
            body=await self._body(scope, protocol),
            now=arrival.received_at,
        )
        await self._keep(self._webhooks.receive(place, delivery, arrival))
        return ACCEPTED

    async def _body(self, scope: Scope, protocol: HTTPProtocol) -> bytes:
        length, limit = scope.headers.get("content-length"), self._settings.collector_max_body
        packed = await body.read(protocol, length, limit=limit, patience=_BODY_SECONDS)
        return body.unpacked(packed, scope.headers.get("content-encoding"), limit)


def unknown_places(settings: Settings) -> list[str]:
    """Name the webhooks in the settings that no provider is known for."""
    return [place for place in settings.provider_secrets if not _is_known(place)]


def _is_known(place: str) -> bool:
    provider, _, site = place.partition("/")
    return provider in PROVIDERS and site != ""


def _with_query(scope: Scope) -> str:
    return f"{scope.path}?{scope.query_string}" if scope.query_string else scope.path


def _told(secrets: Iterable[SecretStr]) -> list[str]:
    return [secret.get_secret_value() for secret in secrets]
