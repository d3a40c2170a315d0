"""Whatever breaks: what the collector acknowledged is in ClickHouse, once, and every row is right.

Each fault is done to the whole line while a sender sends; then the line is mended, must take and
show a new touchpoint, and is judged by the sender's list, by the oracle and by plain SQL. The short
form runs some of the faults; `make faults` runs all, with 100,000 touchpoints and five seeds, and
writes `build/faults.json`. One alone, and smaller: `TOUCHPOINTS=6000 SEEDS=1 make faults ARGS="-k
'rolling and restart'"`.
"""

import asyncio
import os
from pathlib import Path

import pytest

from tests.faults import report
from tests.faults.catalogue import ONE_NODE, THREE_NODES
from tests.faults.stage import staged

pytestmark = pytest.mark.fault

LONG = os.environ.get("LONG") == "1"
TOUCHPOINTS = int(os.environ.get("TOUCHPOINTS", "100000" if LONG else "6000"))
SECONDS = max(12.0, TOUCHPOINTS / 1000)
SEEDS = range(1, 1 + int(os.environ.get("SEEDS", "5" if LONG else "1")))
SHORT = ("all killed", "broker killed")
FAULTS = ONE_NODE | THREE_NODES


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("fault", FAULTS if LONG else SHORT)
async def test_nothing_is_lost_or_doubled_or_wrong(
    kafka_jars: None, tmp_path: Path, fault: str, seed: int
) -> None:
    nodes = 3 if fault in THREE_NODES else 1
    async with staged(tmp_path, nodes=nodes, seed=seed, visitors=TOUCHPOINTS // 10) as stage:
        async with asyncio.TaskGroup() as group:
            group.create_task(stage.sender.run(TOUCHPOINTS, SECONDS))
            group.create_task(stage.hurry(SECONDS))
            await asyncio.sleep(2)
            await FAULTS[fault](stage, SECONDS / 2)
            recovered = await stage.until_alive()
        await stage.end()
        outcome = await stage.outcome(fault, recovered)
    report.keep(outcome)
    assert outcome.faults == [], outcome
