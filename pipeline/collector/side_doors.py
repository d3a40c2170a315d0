"""What comes in beside tracking calls: newsletter links. Shell: reads, writes, counts.

Each door decides by itself what a request means; here is only what they share: the body within
its limits, Kafka's acknowledgement before a 2xx, and the words for what goes wrong.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Sequence
from datetime import datetime

from granian.rsgi import HTTPProtocol, Scope  # type: ignore[attr-defined]  # as in server.py

from pipeline.collector import body
from pipeline.collector.answers import Answer, Problem, TurnedAway, refusal
from pipeline.collector.arrival import Arrival
from pipeline.collector.newsletter import Newsletter, token_in
from pipeline.collector.privacy import truncated_ip
from pipeline.collector.pseudonyms import Pseudonyms
from pipeline.metrics import COLLECTOR_ACCEPTED, COLLECTOR_CLICKS_LOST, COLLECTOR_REFUSED
from pipeline.producer import NotAcknowledged
from pipeline.records import Record
from pipeline.settings import Settings
from schemas.codec import encode
from schemas.topics import RAW, record_key
from schemas.touchpoint import Touchpoint, visitor_of

_log = logging.getLogger(__name__)

_BODY_SECONDS = 10.0
_CLICK_SECONDS = 0.5
"""How long somebody who has clicked waits for Kafka, not longer."""

Write = Callable[[Iterable[tuple[str, Record]]], Awaitable[None]]
"""Writes records to topics; NotAcknowledged if Kafka did not take them."""


class SideDoors:
    """The doors of `settings`."""

    def __init__(self, settings: Settings, clock: Callable[[], datetime], write: Write) -> None:
        self._settings = settings
        self._clock = clock
        self._write = write
        self._late_clicks: set[asyncio.Task[None]] = set()
        keys = [key.get_secret_value() for key in settings.link_keys]
        pseudonyms = Pseudonyms(settings.site_salt.get_secret_value())
        self._newsletter = Newsletter(keys, pseudonyms, settings.site_hosts)

    async def answer(self, scope: Scope, protocol: HTTPProtocol) -> Answer | None:
        """Answer a request to one of the doors; None if its path leads to none of them."""
        token = token_in(scope.path)
        if token is None:
            return None
        try:
            return await self._follow(token, scope, protocol)
        except TurnedAway as why:
            COLLECTOR_REFUSED.labels(why.code).inc()
            return refusal(why.code, why.detail)
        except NotAcknowledged:
            return refusal(Problem.UNAVAILABLE, "Kafka has not acknowledged it; send it again")

    async def _follow(self, token: str, scope: Scope, protocol: HTTPProtocol) -> Answer:
        content = await self._body(scope, protocol) if scope.method == "POST" else b""
        arrival = Arrival("", self._clock(), ip=truncated_ip(scope.client))
        followed = self._newsletter.follow(scope.method, token, scope.headers, arrival, content)
        if followed.touchpoint is None:
            return followed.answer
        if followed.must_answer:
            await self._write_in_time(followed.touchpoint)
        else:
            await self._write_all([followed.touchpoint])
        return followed.answer

    async def _body(self, scope: Scope, protocol: HTTPProtocol) -> bytes:
        length, limit = scope.headers.get("content-length"), self._settings.collector_max_body
        packed = await body.read(protocol, length, limit=limit, patience=_BODY_SECONDS)
        return body.unpacked(packed, scope.headers.get("content-encoding"), limit)

    async def _write_all(self, touchpoints: Sequence[Touchpoint]) -> None:
        await self._write([_record(touchpoint) for touchpoint in touchpoints])
        for touchpoint in touchpoints:
            COLLECTOR_ACCEPTED.labels(touchpoint.site).inc()

    async def _write_in_time(self, touchpoint: Touchpoint) -> None:
        """Write, but wait for Kafka no longer than a person does for a page."""
        writing = asyncio.create_task(self._write_or_count(touchpoint))
        self._late_clicks.add(writing)
        writing.add_done_callback(self._late_clicks.discard)
        await asyncio.wait([writing], timeout=_CLICK_SECONDS)

    async def _write_or_count(self, touchpoint: Touchpoint) -> None:
        try:
            await self._write_all([touchpoint])
        except NotAcknowledged as error:
            COLLECTOR_CLICKS_LOST.labels(touchpoint.site).inc()
            _log.warning("a click in a newsletter is lost: %s", error)


def _record(touchpoint: Touchpoint) -> tuple[str, Record]:
    visitor_id = visitor_of(touchpoint.anonymous_id, touchpoint.user_id)
    received_ms = int(touchpoint.received_at.timestamp() * 1000)
    key = record_key(touchpoint.site, visitor_id)
    return RAW.name, Record(key, encode(touchpoint), received_ms)
