"""The short form of `make bench`: it runs, and the tracker is far ahead of a plain agent."""

import pytest

from tests.bench.tracker import run


@pytest.mark.bench
async def test_the_tracker_is_several_times_as_fast_as_a_plain_faust_agent(
    kafka_jars: None,
) -> None:
    results = await run(touchpoints=60_000, visitors=6_000)
    steps = {"decode", "enrich", "judge", "fold", "remember", "write"}
    assert set(results["tracker"].steps_us) == steps
    assert results["tracker"].per_second > 3 * results["plain"].per_second
