"""A request as a vocabulary gets it, and what became of it."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from pipeline.collector.answers import Answer
from pipeline.collector.arrival import Arrival, browser, is_of_a_page
from pipeline.collector.collect import Collected, collect
from pipeline.collector.cookieless import DailyVisitors
from pipeline.collector.intake import Intake, Limits
from pipeline.collector.request import Request
from pipeline.collector.vocabularies.routes import vocabulary_of
from schemas.codec import decode_touchpoint, encode
from schemas.topics import RAW

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
COMMON = {"site": "shop", "received_at": "2026-01-01T12:00:00Z", "ip": "192.0.2.0"}

intake = Intake(Limits(bytes=32_768, depth=8, age=timedelta(days=30)))


@dataclass
class Taken:
    """What became of a request."""

    key: str | None
    collected: Collected
    answer: Answer

    def values(self, topic: str) -> list[bytes]:
        return [record.value or b"" for name, record in self.collected.records if name == topic]

    @property
    def touchpoints(self) -> list[dict[str, Any]]:
        """Give what was made, without what is empty or the same for all."""
        made = [json.loads(encode(decode_touchpoint(value))) for value in self.values(RAW.name)]
        return [
            {
                field: value
                for field, value in each.items()
                if value not in ("", None, False, {}) and COMMON.get(field) != value
            }
            for each in made
        ]


def send(  # noqa: PLR0917 - a request has so much
    method: str,
    path: str,
    content: bytes = b"",
    user_agent: str = "",
    authorization: str | None = None,
    headers: dict[str, str] | None = None,
    later: timedelta = timedelta(),
    reads: Intake = intake,
) -> Taken:
    where, _, query = path.partition("?")
    vocabulary = vocabulary_of(method, where)
    assert vocabulary is not None
    request = Request(query, content, authorization, headers or {}, NOON + later)
    arrival = Arrival("shop", NOON + later, browser(user_agent), ip="192.0.2.0", path=where)
    if vocabulary.is_cookieless:
        daily = DailyVisitors(lambda: bytes(32))
        arrival.daily_visitor = daily.name(arrival)
        arrival.known = daily if is_of_a_page(headers or {}) else None
    key = vocabulary.key(request)
    collected = collect(request, vocabulary, arrival, reads, 1000)
    return Taken(key, collected, collected.answer(vocabulary.success))


def sent(request: dict[str, Any], reads: Intake = intake) -> Taken:
    content = b""
    if "text" in request:
        content = request["text"].encode()
    elif "body" in request:
        content = json.dumps(request["body"]).encode()
    return send(
        request["method"],
        request["path"],
        content,
        request.get("user_agent", ""),
        request.get("authorization"),
        request.get("headers"),
        reads=reads,
    )
