"""The short form of `python -m tests.bench.collector`: it runs, and batches pay."""

import shutil

import pytest

from tests.bench.collector import run


@pytest.mark.bench
async def test_a_touchpoint_in_a_batch_costs_less_than_half_of_a_single_one(
    kafka_jars: None,
) -> None:
    if not shutil.which("wrk"):
        pytest.skip("no wrk; on Debian: apt-get install wrk")
    results = await run(seconds=1)
    assert results["batch"].per_cpu_second > 2 * results["single"].per_cpu_second
