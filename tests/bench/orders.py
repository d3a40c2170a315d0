"""What a touchpoint costs the tracker: by how many its visitor has, and the order they come in.

    python -m tests.bench.orders
    python -m tests.bench.orders --touchpoints 2000

Twenty hours of touchpoints go through the pure steps of one partition, in chunks as the worker
takes them: one by one or 64 at a time, with a pause after each (in three seconds there are at most
60), or 8,192 from one checkpoint to the next (a backlog). The longest step is that after which
others get their turn.
"""

import argparse
import time
from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

from rich.console import Console
from rich.table import Table

from pipeline.kafka.in_memory import Fetched
from pipeline.tracker.partition import Partition
from pipeline.tracker.steps import MOST_REPEATED, checkpoint, process
from schemas.topics import RAW
from tests.support.journeys import HOUR, NOON, RULES
from tests.support.tracker import key_of, touchpoint, untimed

ORDERS = ("in order", "reverse", "random")


@dataclass(frozen=True)
class Pace:
    """How many records come at once, if the stream pauses after them, and when all are folded."""

    records: int
    pauses: bool
    whole: int


PACES = {
    "one by one": Pace(1, pauses=True, whole=60),
    "by 64": Pace(64, pauses=True, whole=60 * 64),
    "backlog": Pace(64, pauses=False, whole=8192),
}
_NAMES = ("Page Viewed", "Product Viewed", "Product Added", "Page Viewed", "Checkout Started")


@dataclass(frozen=True)
class Cost:
    """Processor time of a touchpoint, and of the longest step."""

    touchpoint_us: float
    longest_ms: float


def measure(touchpoints: int, each: int, order: str, pace: Pace) -> Cost:
    """Let visitors of `each` touchpoints arrive; the times of a visitor are in the given order."""
    partition, records = Partition(0), _records(touchpoints, each, order)
    longest, began = 0.0, time.thread_time()
    last = began
    for start in range(0, touchpoints, pace.records):
        for _ in _steps(partition, records, start, pace):
            now = time.thread_time()
            longest, last = max(longest, now - last), now
    return Cost((time.thread_time() - began) / touchpoints * 1e6, longest * 1e3)


def _steps(
    partition: Partition, records: list[Fetched], start: int, pace: Pace
) -> Iterator[object]:
    end = start + pace.records
    yield process(partition, records[start:end], RULES, 1, untimed)
    is_whole = partition.is_due or end % pace.whole == 0 or end >= len(records)
    if is_whole or pace.pauses:
        most = None if is_whole else MOST_REPEATED
        yield from checkpoint(partition, RULES, 1, untimed, most)
        if not partition.waiting:
            partition.note_durable(partition.position)


def _records(touchpoints: int, each: int, order: str) -> list[Fetched]:
    places = list(range(touchpoints))
    if order == "reverse":
        places.reverse()
    elif order == "random":
        Random(1).shuffle(places)  # noqa: S311 - not for secrets
    visitors = max(1, touchpoints // each)
    now = NOON + 20 * HOUR
    found = []
    for offset, place in enumerate(places):
        value = touchpoint(
            f"0198c2c0-0000-7000-8000-{place:012d}",
            NOON + place * 20 * HOUR // touchpoints,
            name=_NAMES[place % len(_NAMES)],
            anonymous_id=f"v{place % visitors:032x}",
            url=f"https://shop.example/products/item-{place % 500}",
        )
        found.append(Fetched(RAW.name, 0, offset, now, key_of(value), value))
    return found


def main() -> None:
    """Run the benchmark and print it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--touchpoints", type=int, default=10_000)
    touchpoints = parser.parse_args().touchpoints
    table = Table(title=f"{touchpoints:,} touchpoints within 20 hours", title_justify="left")
    for heading in ("a visitor", "order", "pace", "µs each", "of in order", "longest step, ms"):
        table.add_column(heading, justify="left" if heading in ("order", "pace") else "right")
    for each in (1, 100, touchpoints):
        for name, pace in PACES.items():
            in_order = measure(touchpoints, each, ORDERS[0], pace)
            for order in ORDERS:
                cost = measure(touchpoints, each, order, pace) if order != ORDERS[0] else in_order
                table.add_row(
                    *(f"{each:,}", order, name, f"{cost.touchpoint_us:.0f}"),
                    f"{cost.touchpoint_us / in_order.touchpoint_us:.1f}",
                    f"{cost.longest_ms:.1f}",
                )
    Console().print(table)


if __name__ == "__main__":
    main()
