"""How much a load needs, computed by hand."""

from datetime import timedelta

from pipeline.operations import capacity
from pipeline.operations.capacity import Kept, Load, Needs, needs

DAY = timedelta(days=1)
KEPT = Kept(replicas=3, topics=7 * DAY, evidence=30 * DAY, visitor=31 * DAY, tables=90 * DAY)


def test_a_busy_shop() -> None:
    """8,640,000 a day are 100 a second, five times as many at the peak."""
    load = Load(8_640_000, 100_000, 5)
    memory = 100_000 * 31 * 1_500 + 8_640_000 * 30 * 270
    assert memory == 74_634_000_000
    assert needs(load, KEPT) == Needs(
        collectors=1,  # 500 x 120 us is 0.06 of a core, half of one is planned for
        trackers=19,  # 74.6 GB, at most 4 GB each
        sinks=1,
        partitions=38,
        tracker_bytes=450e6 + memory / 19,
        kafka_bytes=8_640_000 * 7 * 6_000 * 3,
        clickhouse_bytes=8_640_000 * 90 * 600,
    )


def test_the_busiest_second_decides_where_memory_does_not() -> None:
    short = KEPT._replace(evidence=timedelta(hours=1), visitor=timedelta(hours=1))
    load = Load(864_000, 1_000, 1_000)  # 10 a second, 10,000 at the peak
    found = needs(load, short)
    assert found.collectors == 3  # 1.2 cores
    assert found.trackers == 6  # 3 cores
    assert found.sinks == 2  # 0.8 of a core
    assert found.partitions == 12


def test_a_small_shop_needs_one_of_each_and_a_year_on_disk() -> None:
    found = needs(Load(1_000, 100, 5), KEPT._replace(tables=None, replicas=1))
    assert (found.collectors, found.trackers, found.sinks, found.partitions) == (1, 1, 1, 4)
    assert found.clickhouse_bytes == 1_000 * 365 * capacity.CLICKHOUSE_BYTES
