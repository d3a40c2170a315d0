"""Where a record goes, and what a producer says when no broker answers."""

import asyncio
from typing import Any

import pytest
from aiokafka.errors import KafkaError
from aiokafka.partitioner import DefaultPartitioner

from pipeline.kafka.producer import KafkaProducer, NotAcknowledged, Packed
from pipeline.kafka.records import Record, Row, partition_for
from pipeline.settings import Settings
from tests.support.ports import free_ports

# The test vectors of Kafka's own org.apache.kafka.common.utils.UtilsTest: murmur2 of each key.
MURMUR2 = {
    b"21": -973932308,
    b"foobar": -790332482,
    b"a-little-bit-long-string": -985981536,
    b"a-little-bit-longer-string": -1486304829,
    b"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8": -58897971,
    b"abc": 479470107,
}


@pytest.mark.parametrize(("key", "murmur2"), MURMUR2.items())
@pytest.mark.parametrize("partitions", [1, 4, 12, 1000])
def test_a_key_goes_to_the_partition_that_the_java_client_chooses(
    key: bytes, murmur2: int, partitions: int
) -> None:
    assert partition_for(key, partitions) == (murmur2 & 0x7FFFFFFF) % partitions


@pytest.mark.parametrize("key", [b"", b"shop:ada", "shop:größe".encode(), b"\xff" * 33])
def test_aiokafka_chooses_the_same_partition(key: bytes) -> None:
    everywhere = list(range(12))
    assert partition_for(key, 12) == DefaultPartitioner()(key, everywhere, everywhere)


def test_a_record_is_also_a_plain_row() -> None:
    assert Record(b"shop:ada", None, 5) == (b"shop:ada", None, 5)


@pytest.fixture
def nowhere() -> Settings:
    """Settings that name a port where nobody listens."""
    return Settings(kafka_bootstrap_servers=f"127.0.0.1:{free_ports(1)[0]}")


async def test_starting_without_a_broker_fails_at_once_and_names_its_address(
    nowhere: Settings,
) -> None:
    with pytest.raises(NotAcknowledged) as failure:
        await KafkaProducer(nowhere).start(["touchpoints.raw"])
    assert f"no Kafka broker answers at {nowhere.kafka_bootstrap_servers}" in str(failure.value)


async def test_sending_without_a_broker_is_not_acknowledged_and_may_be_tried_again(
    nowhere: Settings,
) -> None:
    producer = KafkaProducer(nowhere)
    for _ in range(2):
        with pytest.raises(NotAcknowledged):
            await producer.send("touchpoints.raw", 0, [(b"shop:ada", b"{}", 0)])


async def test_sending_to_several_partitions_without_a_broker_fails_once_for_all(
    nowhere: Settings,
) -> None:
    batches = {("touchpoints.raw", number): [(None, b"{}", 0)] for number in range(3)}
    with pytest.raises(NotAcknowledged):
        await KafkaProducer(nowhere).send_all(batches)


async def test_sending_nothing_needs_no_broker(nowhere: Settings) -> None:
    producer = KafkaProducer(nowhere)
    await producer.send_all({})
    await producer.stop()
    with pytest.raises(KeyError):
        producer.partitions("touchpoints.raw")


ROWS: list[Row] = [
    (b"shop:ada", b"x" * size, 1_700_000_000_000 + size)
    for size in (10, 600_000, 700_000, 5, 0, 400_000, 200_000)
] + [(None, b"{}", 5), (b"shop:ada", None, 7)]


def test_packed_rows_are_read_back_as_they_were_added() -> None:
    packed = Packed(ROWS[:3])
    packed.extend(ROWS[3:])
    packed.extend([])
    assert list(packed) == list(packed) == ROWS
    assert list(Packed()) == []


class _Broker:
    """Takes batches as aiokafka does, and is told what becomes of each."""

    def __init__(self) -> None:
        self.batches: list[Any] = []
        self.answers: list[asyncio.Future[None]] = []

    async def send_batch(self, batch: Any, _topic: str, *, partition: int) -> asyncio.Future[None]:
        assert partition == 1
        self.batches.append(batch)
        self.answers.append(asyncio.get_running_loop().create_future())
        return self.answers[-1]

    def rows(self) -> list[Row]:
        """Give the rows of all batches since the last time."""
        batches, self.batches = self.batches, []
        return [row for batch in batches for row in batch.rows()]


async def test_packed_rows_are_sent_again_only_once_all_that_was_sent_is_answered() -> None:
    broker, packed = _Broker(), Packed(ROWS)
    await packed.submit(broker, "sessions", 1)
    first = list(broker.batches)
    assert broker.rows() == ROWS
    broker.answers[0].set_exception(KafkaError())
    again = asyncio.create_task(packed.submit(broker, "sessions", 1))
    await asyncio.sleep(0.01)
    assert broker.batches == []
    for answer in broker.answers[1:]:
        answer.set_result(None)
    acknowledgements = await again
    assert not set(map(id, first)) & set(map(id, broker.batches))
    assert acknowledgements == broker.answers[len(first) :]
    assert broker.rows() == ROWS
