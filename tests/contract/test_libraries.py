"""What we rest on in Faust and aiokafka beyond their documentation. A version that lacks it fails
here with a sentence, and not at night.
"""

import inspect
from typing import Any, NamedTuple

import pytest
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.producer.message_accumulator import BatchBuilder
from aiokafka.record.default_records import DefaultRecordBatch, DefaultRecordBatchBuilder
from faust.app.base import App
from faust.serializers.schemas import Schema
from faust.transport.conductor import Conductor
from faust.transport.consumer import Consumer as BaseConsumer
from faust.transport.drivers.aiokafka import Consumer, Transport
from faust.transport.utils import DefaultSchedulingStrategy
from faust.types.settings import Settings as FaustSettings
from faust.worker import Worker


class Rest(NamedTuple):
    """A member, its parameters, and what it is for."""

    owner: Any
    name: str
    parameters: tuple[str, ...]
    why: str


RESTS = (
    Rest(DefaultSchedulingStrategy, "iterate", ("records",), "chunks of records reach the agent"),
    Rest(Schema, "loads_key", ("app", "message"), "the agent gets the record's own bytes"),
    Rest(Schema, "loads_value", ("app", "message"), "the agent gets the chunk as it is"),
    Rest(App, "_create_directories", (), "Faust makes no folders for tables"),
    Rest(BaseConsumer, "_filter_tps_with_pending_acks", ("topics",), "we say what is committed"),
    Rest(BaseConsumer, "_new_offset", ("tp",), "we say up to where it is committed"),
    Rest(BaseConsumer, "_add_gap", ("tp", "offset_from", "offset_to"), "a chunk is no gap"),
    Rest(BaseConsumer, "wait_empty", (), "effects are durable before partitions change hands"),
    Rest(BaseConsumer, "commit", ("topics", "start_new_transaction"), "commits what we say"),
    Rest(AIOKafkaAdminClient, "_send_request_to_node", ("node_id", "request"), "disks are told"),
    Rest(Worker, "on_first_start", (), "the tracker starts before Faust"),
    Rest(Worker, "on_shutdown", (), "the tracker disconnects after Faust"),
    Rest(BatchBuilder, "record_count", (), "batches are filled without a call for each row"),
    Rest(BatchBuilder, "_build", (), "rows are read back out of a batch"),
    Rest(
        DefaultRecordBatchBuilder,
        "append",
        ("offset", "timestamp", "key", "value", "headers"),
        "batches are filled without a call for each row",
    ),
)


@pytest.mark.parametrize("rest", RESTS, ids=lambda rest: f"{rest.owner.__name__}.{rest.name}")
def test_a_member_we_rest_on_is_there(rest: Rest) -> None:
    member = getattr(rest.owner, rest.name, None)
    told = f"{rest.owner.__qualname__}.{rest.name} is gone or changed; without it not: {rest.why}"
    assert callable(member), told
    if inspect.isroutine(member) and not inspect.isbuiltin(member):
        try:
            parameters = inspect.signature(member).parameters
        except ValueError:
            return  # compiled without a signature; `callable` is all that can be asked
        missing = [name for name in rest.parameters if name not in parameters]
        assert not missing, f"{told} ({missing} missing)"


def test_a_consumer_keeps_what_is_acknowledged_by_partition() -> None:
    made = inspect.getsource(BaseConsumer.__init__)
    for name in ("_acked", "_acked_index"):
        assert f"self.{name}" in made, f"Consumer.{name} is gone: the commit needs to clear it"


def test_a_batch_keeps_its_builder_and_counts_its_records() -> None:
    batch = BatchBuilder(1_000, compression_type=0)
    for name in ("_builder", "_relative_offset"):
        assert hasattr(batch, name), f"BatchBuilder.{name} is gone: batches are filled by it"
    assert DefaultRecordBatch is not None


def test_a_transport_and_a_strategy_can_be_chosen() -> None:
    assert Transport.Consumer is Consumer
    assert hasattr(FaustSettings, "ConsumerScheduler"), "Faust takes no scheduling strategy"
    assert callable(Conductor)
