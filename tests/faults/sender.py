"""A shop's server that sends to the collector until it is told 200, and remembers what was taken.

It knows nothing of the pipeline: what it was told is taken has to be in ClickHouse in the end.
"""

import asyncio
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import aiohttp

_NAMES = (
    *("Page Viewed", "Product Viewed", "Product Viewed", "Product Added", "Checkout Started"),
    *("Order Completed", "Order Shipped", "Form Started", "Email Delivered", "Script Error"),
)
_PATIENCE_SECONDS = 150
_BATCH = 50

Call = dict[str, Any]


@dataclass
class Sender:
    """Sends Segment calls of many visitors to `url`, out of order, some of them twice.

    What they did is up to `spread` hours old.
    """

    url: str
    key: str
    seed: int
    visitors: int
    spread: float = 3.0
    sent: set[str] = field(default_factory=set)
    taken: set[str] = field(default_factory=set)
    refused: set[str] = field(default_factory=set)

    async def run(self, touchpoints: int, seconds: float) -> None:
        """Send so many, evenly over so many seconds, by four connections."""
        batches = list(self._batches(touchpoints))
        began = time.monotonic()
        line = iter(enumerate(batches))

        async def work(session: aiohttp.ClientSession) -> None:
            for number, batch in line:
                due = began + seconds * number / len(batches)
                await asyncio.sleep(max(0.0, due - time.monotonic()))
                await self._until_taken(session, batch)

        timeout = aiohttp.ClientTimeout(total=15)
        async with (
            aiohttp.ClientSession(timeout=timeout, headers=self._headers) as session,
            asyncio.TaskGroup() as group,
        ):
            for _ in range(4):
                group.create_task(work(session))

    async def probe(self, name: str) -> None:
        """Send one more, to see whether the line is alive."""
        async with aiohttp.ClientSession(headers=self._headers) as session:
            await self._until_taken(
                session, [_call(name, "probe", "Page Viewed", datetime.now(UTC))]
            )

    async def send_at(self, name: str, at: datetime) -> None:
        """Send one that its device believes to have happened, and to be sent, `at`."""
        call = _call(name, f"late-{name}", "Product Viewed", at)
        async with aiohttp.ClientSession(headers=self._headers) as session:
            await self._until_taken(session, [call], at)

    @property
    def _headers(self) -> dict[str, str]:
        return {"authorization": aiohttp.encode_basic_auth(self.key, "")}

    async def _until_taken(
        self, session: aiohttp.ClientSession, batch: list[Call], sent_at: datetime | None = None
    ) -> None:
        ids = [call["messageId"] for call in batch]
        self.sent.update(ids)
        body = {"batch": batch, "sentAt": (sent_at or datetime.now(UTC)).isoformat()}
        async with asyncio.timeout(_PATIENCE_SECONDS):
            while (said := await _answer(session, self.url, body)) is None:  # noqa: ASYNC110
                await asyncio.sleep(0.3)
        refused = {ids[each["index"]] for each in said.get("refused", ())}
        self.refused |= refused
        self.taken |= set(ids) - refused

    def _batches(self, touchpoints: int) -> Iterator[list[Call]]:
        random = Random(self.seed)  # noqa: S311 - not for secrets
        calls = [self._random_call(random, number) for number in range(touchpoints)]
        again = random.sample(calls, touchpoints // 20)
        calls += again
        # Near to the order of their times, as a network delivers them.
        places = {
            id(call): place + random.random() ** 4 * touchpoints for place, call in enumerate(calls)
        }
        calls.sort(key=lambda call: places[id(call)])
        for start in range(0, len(calls), _BATCH):
            yield calls[start : start + _BATCH]

    def _random_call(self, random: Random, number: int) -> Call:
        visitor = f"v{self.seed}-{int(self.visitors * random.random() ** 2)}"
        at = datetime.now(UTC) - timedelta(hours=self.spread * random.random())
        if random.random() < 0.01:
            at += random.choice((timedelta(days=1), timedelta(days=-1), timedelta(days=27_000)))
        call = _call(f"{self.seed}-{number}", visitor, random.choice(_NAMES), at)
        if random.random() < 0.2:
            call["userId"] = f"u-{visitor}"
        if call["event"] == "Order Completed":
            call["properties"] |= {"order_id": f"o-{number}", "revenue": random.randint(10, 900)}
        return call


def _call(id_: str, visitor: str, name: str, at: datetime) -> Call:
    return {
        "type": "track",
        "messageId": id_,
        "anonymousId": visitor,
        "event": name,
        "timestamp": at.isoformat(),
        "properties": {"product_id": "p-1", "price": 12.5, "quantity": 1, "form": "contact"},
    }


async def _answer(session: aiohttp.ClientSession, url: str, body: Call) -> Call | None:
    """Give what a 200 says; None if it is to be sent again."""
    try:
        async with session.post(f"{url}/v1/batch", json=body) as answer:
            assert answer.status in (200, 503), await answer.text()
            said: Call = await answer.json(content_type=None)
            return said if answer.status == 200 else None
    except (aiohttp.ClientError, TimeoutError):
        return None
