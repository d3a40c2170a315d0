"""The dead letters of every stage name their site, and an erasure finds whom they name."""

import json
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import get_args

import msgspec
import pytest
from clickhouse_connect.driver.client import Client

from pipeline.kafka.in_memory import MemoryBroker
from pipeline.kafka.records import partition_for
from pipeline.personal.find import Named, count_rows
from pipeline.tracker.items import LARGEST
from pipeline.tracker.partition import Partition
from schemas.codec import encode_fact
from schemas.dead_letter import DeadLetter, Stage
from schemas.topics import DEAD_LETTERS
from tests.support.database import insert_json, migrated_database
from tests.support.engine import EngineServer
from tests.support.journeys import NOON, SITE
from tests.support.tracker import log_of, run, touchpoint, written
from tests.support.vocabularies import send
from tests.unit.importer.test_send import imported, letters
from tests.unit.roles.test_webhook import bench, cart
from tests.unit.sinks.test_writer import SESSIONS_0, Bench

PHONE = {"anonymous_id": "phone", "user_id": "7"}
SEEN = touchpoint("a", NOON, **PHONE)
Refused = Callable[[Path], Awaitable[list[DeadLetter]]]
"""Has somebody's input refused; may write into a folder."""


@pytest.fixture
def client(engine: EngineServer) -> Iterator[Client]:
    with migrated_database(engine) as client:
        yield client


async def calls(_: Path) -> list[DeadLetter]:
    """What the collector refuses."""
    body = json.dumps({"anonymousId": "phone", "userId": 7, "event": 1}).encode()
    values = send("POST", "/v1/track", body).values(DEAD_LETTERS.name)
    return [msgspec.json.decode(one, type=DeadLetter) for one in values]


async def rows_of_a_file(folder: Path) -> list[DeadLetter]:
    """What an import refuses: a row that happens to name its visitor as we do."""
    file, broker = folder / "a.csv", MemoryBroker()
    file.write_text("when,who,what,anonymous_id\nsoon,x,Seen,phone\n2025-03-01,x,Seen,y\n")
    await imported([file], broker)
    return letters(broker)


async def records(_: Path) -> list[DeadLetter]:
    """What the tracker refuses, whatever is wrong with it, and whoever has written it."""
    wrong = [
        touchpoint("a", NOON, channel="tv", **PHONE),
        touchpoint("a", 0, **PHONE),
        SEEN + b"}",
        SEEN.replace(b'"phone"', b'"phone","title":"\xff"'),
        SEEN[:-1] + b',"more":"' + b"x" * LARGEST + b'"}',
        b'{"again":{"rebuild":1,"touchpoint":' + touchpoint("a", 0, **PHONE) + b"}}",
    ]
    found: list[DeadLetter] = []
    for key in (None, b"shop:phone", b"nobody", b"else:phone"):
        found += written(run(log_of(*wrong, key=key)), DEAD_LETTERS.name)
    elsewhere = Partition((partition_for(b"shop:phone", 4) + 1) % 4)
    moved = run(log_of(SEEN, key=None), partition=elsewhere, partitions=4)
    return [*found, *written(moved, DEAD_LETTERS.name)]


async def rows_of_a_table(_: Path) -> list[DeadLetter]:
    """What ClickHouse refuses."""
    here = Bench(SESSIONS_0)
    here.sink.poison = b"phone"
    await here.say(SESSIONS_0, b'{"site":"shop","visitor_id":"phone"}', b'{"site":"shop"}')
    await here.drain()
    return here.letters


async def facts(_: Path) -> list[DeadLetter]:
    """What an endpoint does not take."""
    async with bench(attempts=1) as here:
        here.server.answers["/hook"] = [500]
        await here.tell(cart("a", 7, site=SITE, visitor_id="phone"))
        await here.deliveries.round()
    return here.letters


EVERY: dict[Stage, Refused] = {
    "collect": calls,
    "import": rows_of_a_file,
    "track": records,
    "sink": rows_of_a_table,
    "webhook": facts,
}


def test_no_stage_is_left_out() -> None:
    assert set(EVERY) == set(get_args(Stage))


@pytest.mark.parametrize("stage", EVERY)
async def test_a_letter_of_every_stage_is_found_by_whom_it_names(
    client: Client, tmp_path: Path, stage: Stage
) -> None:
    found = await EVERY[stage](tmp_path)
    assert {(letter.stage, letter.site) for letter in found} == {(stage, SITE)}
    insert_json(client, "dead_letters", map(encode_fact, found))
    of = [Named(SITE, (name,)) for name in ("phone", "nobody")]
    counts = [count_rows(client, each)["dead_letters"] for each in of]
    assert counts == [len({letter.dead_letter_id for letter in found}), 0]
