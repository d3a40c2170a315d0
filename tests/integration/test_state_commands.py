"""`touchstream state inspect` and `rebuild`, on both brokers: the memory of each partition."""

import asyncio
import uuid

import msgspec
import pytest
from aiokafka import TopicPartition
from aiokafka.admin.records_to_delete import RecordsToDelete
from click.testing import CliRunner, Result
from msgspec.structs import replace

from pipeline.cli import main
from pipeline.kafka import clients
from pipeline.kafka.lag import committed
from pipeline.kafka.records import Record
from pipeline.kafka.topics import create_topics, read_topic
from pipeline.operations.rewind import rewind
from pipeline.settings import Settings
from pipeline.tracker.changelog import Store
from pipeline.tracker.partition import Erased, erased_key
from pipeline.tracker.rules import rules_of
from schemas.codec import encode_fact
from schemas.facts import Session
from schemas.topics import RAW, SESSIONS, STATE
from tests.support.journeys import NOON, SITE
from tests.support.tracker import log_of, run, touchpoint, written

SEEN = 40
LOG = log_of(*(touchpoint(f"t{n}", NOON + n, anonymous_id=f"v{n % 9}") for n in range(SEEN)))


BOTH = pytest.mark.parametrize("settings", ["embedded_broker", "kafka"], indirect=True)
EMBEDDED = pytest.mark.parametrize("settings", ["embedded_broker"], indirect=True)
"""The quick one of the two, for what is the same with both."""
KAFKA = pytest.mark.parametrize("settings", ["kafka"], indirect=True)


@pytest.fixture
def settings(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Settings:
    broker = request.getfixturevalue(request.param)
    known = {
        "kafka_bootstrap_servers": broker.bootstrap_servers,
        "kafka_idempotence": request.param == "kafka",
        "kafka_prefix": f"{uuid.uuid4().hex[:8]}.",
        "kafka_partitions": 1,
    }
    for name, value in known.items():
        monkeypatch.setenv(f"TOUCHSTREAM_{name.upper()}", str(value))
    return Settings()


async def lived(settings: Settings) -> None:
    """Leave what a tracker leaves that has read the whole log: a memory, and its commit."""
    await create_topics(settings)
    output = run(LOG)
    erased = Erased(NOON, NOON, 3)
    state = [*output.state, (erased_key(SITE, "eve"), msgspec.msgpack.encode(erased), NOON)]
    async with clients.producer(settings, RAW.name, STATE.name) as producer:
        records = [Record(each.key, each.value, each.timestamp) for each in LOG.records]
        await producer.send(RAW.name, 0, records)
        await producer.send(STATE.name, 0, state)
    await commit(settings, SEEN)


async def send_more(settings: Settings, touchpoints: int) -> None:
    async with clients.producer(settings, RAW.name) as producer:
        records = [Record(b"", touchpoint(f"m{n}", NOON), NOON) for n in range(touchpoints)]
        await producer.send(RAW.name, 0, records)


async def commit(settings: Settings, offset: int) -> None:
    place = TopicPartition(settings.topic(RAW.name), 0)
    async with clients.consumer(settings, group_id=settings.tracker_group) as consumer:
        consumer.assign([place])
        await consumer.commit({place: offset})


async def read_to(settings: Settings) -> int:
    place = TopicPartition(settings.topic(RAW.name), 0)
    return (await committed(settings, settings.tracker_group, [place]))[place]


def refuted(settings: Settings) -> Session:
    """Give a session as a tracker wrote it that the log does not bear out."""
    session: Session = written(run(LOG), SESSIONS.name)[0]
    return replace(session, session_id="refuted", rule_version=rules_of(settings).version)


async def said(*words: str) -> Result:
    return await asyncio.to_thread(CliRunner().invoke, main, words)


@BOTH
async def test_a_memory_is_looked_at_and_made_anew(settings: Settings) -> None:
    await lived(settings)
    looked = await said("state", "inspect")
    assert (looked.exit_code, "partition 0: 9 visitors" in looked.output) == (0, True)
    assert f"knows the log to {SEEN} (committed {SEEN}, end {SEEN})" in looked.output
    for more in (1, 2):  # whoever interrupts it runs it again; each time adds a tick
        made = await said("state", "rebuild")
        assert made.exit_code == 0, made.output
        assert f"{SEEN + more} records of touchpoints.raw will be read again" in made.output
    looked = await said("state", "inspect")
    assert (looked.exit_code, "partition 0: 0 visitors" in looked.output) == (0, True)
    assert f"knows the log to 0 (committed 0, end {SEEN + 2})" in looked.output
    memory = await Store(settings).open(0)
    assert [*memory.states] == [erased_key(SITE, "eve")]
    assert (memory.erased(SITE, "eve").before, memory.void_before) == (3, SEEN + 2)


@BOTH
async def test_what_a_lost_memory_would_have_taken_back_is_taken_back(settings: Settings) -> None:
    await lived(settings)
    session = refuted(settings)
    async with clients.producer(settings, SESSIONS.name) as producer:
        rows = [(b"shop:v1", encode_fact(session), NOON), (b"", b"junk", NOON)]
        await producer.send(SESSIONS.name, 0, rows)
    made = await said("state", "rebuild")
    assert "1 facts that the log refutes are taken back" in made.output, made.output
    *_, last = [record async for record in read_topic(settings, SESSIONS.name)]
    gone = replace(session, version=SEEN, is_deleted=True)
    assert (last.key, last.value) == (b"shop:v1", encode_fact(gone))


@EMBEDDED
async def test_facts_of_other_rules_are_left_and_it_is_said(settings: Settings) -> None:
    await lived(settings)
    session = replace(refuted(settings), rule_version="of old")
    async with clients.producer(settings, SESSIONS.name) as producer:
        await producer.send(SESSIONS.name, 0, [(b"shop:v1", encode_fact(session), NOON)])
    made = await said("state", "rebuild")
    assert "some facts were written by other rules" in made.output
    assert "`touchstream rebuild` for each site" in made.output


@EMBEDDED
async def test_a_memory_that_is_older_than_what_was_read_is_said_to_be(settings: Settings) -> None:
    await lived(settings)
    await send_more(settings, 5)
    await commit(settings, SEEN + 5)
    looked = await said("state", "inspect")
    assert looked.exit_code == 1
    assert f"memory knows it up to {SEEN} only: the newest part of it is gone" in looked.output
    assert "1 partitions that a tracker would refuse" in looked.output
    await said("state", "rebuild")
    assert (await said("state", "inspect")).exit_code == 0


@EMBEDDED
async def test_who_is_interrupted_before_the_log_is_read_again_is_refused(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    await lived(settings)

    async def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("pipeline.operations.rewind._move", killed)
        with pytest.raises(KeyboardInterrupt):
            await rewind(settings, RAW.name, None)
    assert await read_to(settings) == SEEN
    looked = await said("state", "inspect")
    assert (looked.exit_code, "the newest part of it is gone" in looked.output) == (1, True)
    assert (await said("state", "rebuild")).exit_code == 0
    assert (await said("state", "inspect")).exit_code == 0
    assert (await Store(settings).open(0)).erased(SITE, "eve").before == 3


@KAFKA
async def test_a_memory_cut_at_its_front_is_refused_until_it_is_made_anew(
    settings: Settings,
) -> None:
    await lived(settings)
    async with clients.admin(settings) as admin:
        place = TopicPartition(settings.topic(STATE.name), 0)
        await admin.delete_records({place: RecordsToDelete(before_offset=4)})
    looked = await said("state", "inspect")
    assert (looked.exit_code, "begins at 4 instead of 0" in looked.output) == (1, True)
    assert (await said("state", "rebuild")).exit_code == 0
    assert (await said("state", "inspect")).exit_code == 0
