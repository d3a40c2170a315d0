"""Dead letters sent again."""

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from clickhouse_connect.driver.client import Client
from rich.progress import Progress

from pipeline.collector.letters import kind_of_call
from pipeline.importer.mapping import parse_mapping
from pipeline.importer.send import import_files
from pipeline.kafka.in_memory import ManualClock, MemoryBroker
from pipeline.kafka.records import Record, partition_for
from pipeline.operations.dead_letters import (
    Reader,
    ReplaySummary,
    read_record,
    replay_dead_letters,
    row_reader,
)
from pipeline.operations.letters import NoSuchLetter, counts, find, newest
from schemas.codec import encode, encode_fact
from schemas.dead_letter import DeadLetter, Reason, Stage, dead_letter
from schemas.topics import DEAD_LETTERS, RAW
from schemas.touchpoint import Touchpoint
from tests.support.database import insert_json, migrated_database, touchpoints_in
from tests.support.engine import EngineServer

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
NOW_MS = int(NOW.timestamp() * 1000)
MAPPING = 'channel = "shop"\n[columns]\noccurred_at = "when"\nname = "what"\nanonymous_id = "who"'


@pytest.fixture
def client(engine: EngineServer) -> Iterator[Client]:
    with migrated_database(engine) as client:
        yield client


@pytest.fixture
def broker() -> MemoryBroker:
    return MemoryBroker()


def letter(raw: bytes, stage: Stage = "track", **other: Any) -> DeadLetter:
    place: dict[str, Any] = {
        "site": "shop",
        "reason": Reason.INVALID_FIELD,
        "detail": "",
        "source": f"{RAW.name}-0",
        "position": 0,
        "at": NOW,
    }
    return dead_letter(raw, stage=stage, **(place | other))


def a_touchpoint() -> Touchpoint:
    return Touchpoint(
        touchpoint_id="t1",
        site="shop",
        type="page",
        name="Page Viewed",
        channel="website",
        occurred_at=NOW,
        received_at=NOW,
        properties=msgspec.Raw(b"{}"),
        anonymous_id="v1",
    )


async def replayed(
    client: Client, broker: MemoryBroker, *letters: DeadLetter, **which: Any
) -> ReplaySummary:
    insert_json(client, "dead_letters", map(encode_fact, letters))
    readers: dict[str, Reader] = {
        "track": read_record,
        "import": row_reader(parse_mapping(MAPPING, "m.toml"), NOW),
    }
    return await replay_dead_letters(client, broker, readers, now=ManualClock(NOW), **which)


async def test_a_record_that_is_accepted_now_goes_back_to_the_partition_of_its_key(
    client: Client, broker: MemoryBroker
) -> None:
    value = encode(a_touchpoint())
    summary = await replayed(client, broker, letter(value))
    partition = partition_for(b"shop:v1", 4)
    assert summary == ReplaySummary(sent=1)
    assert broker.log[RAW.name, partition][0] == Record(b"shop:v1", value, NOW_MS)


async def test_what_would_be_refused_again_is_counted_and_not_sent(
    client: Client, broker: MemoryBroker
) -> None:
    summary = await replayed(client, broker, letter(b"{"), letter(b"\xff", position=1))
    assert (summary.sent, summary.refused) == (0, {Reason.NOT_JSON: 2})
    assert broker.records(RAW.name) == []


async def test_a_letter_that_nobody_could_have_written_stops_no_replay(
    client: Client, broker: MemoryBroker
) -> None:
    broken = letter(b"\xff")
    broken.payload = "a"
    elsewhere = letter(b"{}", stage="sink", source="touchpoints-x")
    assert (broken.encoding, broken.stage) == ("base64", "track")
    value = encode(a_touchpoint())
    summary = await replayed(client, broker, broken, elsewhere, letter(value, position=1))
    assert summary == ReplaySummary(1, Counter({Reason.NOT_JSON: 1}), Counter({"sink": 1}))


async def test_rows_of_a_file_go_through_the_corrected_mapping_with_the_ids_of_the_import(
    client: Client, broker: MemoryBroker, tmp_path: Any
) -> None:
    path = tmp_path / "a.csv"
    path.write_text("when,what,who,user\n" + "2025-03-01,Seen,,u\n" * 2 + "2025-03-01,Seen,v,u\n")
    rows, whole = MemoryBroker(), MemoryBroker()
    corrected = MAPPING.replace('"who"', '["who", "user"]')
    for mapping, into in ((MAPPING, rows), (corrected, whole)):
        await import_files(
            [path],
            parse_mapping(mapping, "m.toml"),
            into,
            site="shop",
            now=ManualClock(NOW),
            progress=Progress(disable=True),
        )
    insert_json(client, "dead_letters", [r.value or b"" for r in rows.records(DEAD_LETTERS.name)])
    readers: dict[str, Reader] = {"import": row_reader(parse_mapping(corrected, "m.toml"), NOW)}
    summary = await replay_dead_letters(client, broker, readers, now=ManualClock(NOW))
    assert summary == ReplaySummary(sent=2)
    sent = touchpoints_in(rows.records(RAW.name)) + touchpoints_in(broker.records(RAW.name))
    expected = touchpoints_in(whole.records(RAW.name))
    assert {t.touchpoint_id for t in sent} == {t.touchpoint_id for t in expected}
    assert len(sent) == len(expected) == 3


async def test_a_row_that_clickhouse_refused_goes_back_to_its_topic_and_partition(
    client: Client, broker: MemoryBroker
) -> None:
    row = b'{"site":"shop","visitor_id":"v1","started_at":"never"}'
    summary = await replayed(client, broker, letter(row, "sink", source="sessions-3"))
    assert summary == ReplaySummary(sent=1)
    assert broker.log["sessions", 3] == [Record(b"shop:v1", row, NOW_MS)]


async def test_letters_that_nobody_reads_are_left_and_counted(
    client: Client, broker: MemoryBroker
) -> None:
    summary = await replayed(client, broker, letter(b"{}", "collect"))
    assert (summary.sent, summary.left) == (0, {"collect": 1})


async def test_a_reason_a_stage_and_a_site_choose_among_the_letters(
    client: Client, broker: MemoryBroker
) -> None:
    value = encode(a_touchpoint())
    letters = [
        letter(value),
        letter(value, reason=Reason.INVALID_TIME, position=1),
        letter(value, site="other", position=2),
        letter(b"{}", "import", position=3),
    ]
    chosen = {"site": "shop", "stage": "track", "reason": "invalid_field"}
    assert await replayed(client, broker, *letters, **chosen) == ReplaySummary(sent=1)


async def test_replaying_twice_sends_the_same_again(client: Client, broker: MemoryBroker) -> None:
    await replayed(client, broker, letter(encode(a_touchpoint())))
    await replayed(client, broker)
    sent = broker.log[RAW.name, partition_for(b"shop:v1", 4)]
    assert sent[:2] == sent[2:]


async def test_letters_go_in_order_of_their_times_and_then_silence_passes(
    client: Client, broker: MemoryBroker
) -> None:
    late, early = (a_touchpoint() for _ in range(2))
    late.touchpoint_id, early.touchpoint_id = "late", "early"
    early.occurred_at = NOW - timedelta(days=3)
    letters = [letter(encode(late), position=1), letter(encode(early), position=2)]
    assert await replayed(client, broker, *letters) == ReplaySummary(sent=2)
    values = [record.value or b"" for record in broker.log[RAW.name, partition_for(b"shop:v1", 4)]]
    assert [b"early" in value for value in values[:2]] == [True, False]
    for number in range(4):
        assert b'"tick"' in (broker.log[RAW.name, number][-1].value or b"")


async def test_a_time_that_would_be_refused_again_makes_no_second_letter(
    client: Client, broker: MemoryBroker
) -> None:
    ahead = a_touchpoint()
    ahead.occurred_at = NOW + timedelta(days=2)
    summary = await replayed(client, broker, letter(encode(ahead)))
    assert summary == ReplaySummary(refused=Counter({Reason.TIME_OUT_OF_RANGE: 1}))
    assert not any(broker.log.values())


@pytest.mark.parametrize(
    ("call", "kind"),
    [
        (b'{"event":"Seen"}', "track"),
        (b'{"traits":{}}', "identify"),
        (b'{"previousId":"a"}', "alias"),
        (b'{"groupId":"a","traits":{}}', "group"),
        (b'{"properties":{}}', "page"),
        (b"{", "track"),
    ],
)
def test_a_call_without_a_type_is_what_its_path_takes(call: bytes, kind: str) -> None:
    assert kind_of_call(call) == kind


def test_letters_are_counted_named_and_shown(client: Client) -> None:
    letters = [letter(b"{", reason=Reason.NOT_JSON), letter(b"\xff"), letter(b"}", site="other")]
    insert_json(client, "dead_letters", map(encode_fact, letters))
    counted = counts(client, "shop", "", "")
    assert sum(count.letters for count in counted) == 2
    assert counts(client, "", "", "not_json")[0].reason == "not_json"
    assert len(newest(client, "", "", "", 2)) == 2
    assert find(client, letters[1].dead_letter_id).raw() == b"\xff"
    with pytest.raises(NoSuchLetter, match="dead-letters list"):
        find(client, "0")
