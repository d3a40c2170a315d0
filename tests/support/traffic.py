"""Made-up traffic with everything that can be wrong with it: shuffled, doubled, late, broken."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random

from schemas.codec import Tick, encode
from schemas.topics import record_key

_NAMES = (
    "Page Viewed",
    "Product Viewed",
    "Product Viewed",
    "Product Added",
    "Checkout Started",
    "Order Completed",
    "Order Shipped",
    "Form Started",
    "Form Submitted",
    "Email Delivered",
    "Unsubscribed",
    "Script Error",
)
_BROKEN = (
    b"",
    b"not json",
    b'{"touchpoint_id": 7}',
    b'{"tick": "never"}',
    b"\xff\xfe",
    b"[1, 2]",
)

RawRecord = tuple[bytes | None, int, bytes, int]
"""Key, partition, value and timestamp in milliseconds."""


@dataclass
class Traffic:
    """Touchpoints of `visitors` over `hours`, the same for the same seed."""

    home: Callable[[bytes], int]
    partitions: int = 4
    visitors: int = 2_000
    touchpoints: int = 20_000
    hours: float = 6.0
    seed: int = 1
    start: datetime = datetime(2026, 3, 1, 9, tzinfo=UTC)
    recorded_at: int = field(default_factory=lambda: int(time.time() * 1000))

    def records(self) -> list[RawRecord]:
        """Give the records in the order of the log, ticks among them and one at the end."""
        random = Random(self.seed)  # noqa: S311 - not for secrets
        made = [self._touchpoint(random, number) for number in range(self.touchpoints)]
        # Out of order by up to two hours, and one in twenty comes twice.
        arrivals = [(at + random.uniform(0, 7_200_000) * random.random() ** 3, r) for at, r in made]
        arrivals += [
            (at + random.uniform(0, 3_600_000), r) for at, r in random.sample(made, len(made) // 20)
        ]
        arrivals.sort(key=lambda arrival: arrival[0])
        records = [record for _, record in arrivals]
        for place in range(0, len(records), max(1, len(records) // 40)):
            records[place:place] = [self._broken(random)]
        for number in range(1, 13):
            at = self.start + timedelta(hours=self.hours) * number / 12
            place = len(records) * number // 13
            records[place:place] = list(self._tick(at))
        end = self.start + timedelta(hours=self.hours + 3)
        return [*records, *self._tick(end)]

    def _touchpoint(self, random: Random, number: int) -> tuple[float, RawRecord]:
        visitor = f"v{int(self.visitors * random.random() ** 2)}"
        at = self.start + timedelta(hours=self.hours) * (number / self.touchpoints)
        at = at.replace(microsecond=at.microsecond // 1000 * 1000)
        order = f', "order_id": "o{number}", "revenue": {random.randint(10, 900)}.5'
        name = random.choice(_NAMES)
        product = f'"product_id": "p{random.randint(1, 50)}", "form": "contact"'
        properties = (
            f'{product}, "price": 12.5, "quantity": {random.randint(1, 3)}, "currency": "EUR"'
        )
        value = (
            f'{{"touchpoint_id": "t{number}", "site": "shop", "type": "track", "name": "{name}", '
            f'"channel": "shop", "occurred_at": "{at.isoformat()}", '
            f'"received_at": "{at.isoformat()}", "anonymous_id": "{visitor}", '
            f'"user_id": "{random.choice(["", "", "", f"u-{visitor}"])}", '
            f'"url": "https://shop.example/products/{random.randint(1, 50)}?utm_source=mail", '
            f'"properties": {{{properties}{order if name == "Order Completed" else ""}}}}}'
        )
        key = record_key("shop", visitor)
        at_ms = at.timestamp() * 1000
        return at_ms, (key, self.home(key), value.encode(), self.recorded_at)

    def _broken(self, random: Random) -> RawRecord:
        partition = random.randrange(self.partitions)
        return b"shop:broken", partition, random.choice(_BROKEN), self.recorded_at

    def _tick(self, at: datetime) -> Iterator[RawRecord]:
        value = encode(Tick(tick=at))
        for partition in range(self.partitions):
            yield None, partition, value, self.recorded_at
