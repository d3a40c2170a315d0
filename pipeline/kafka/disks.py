"""How much of its disk each broker has left. Shell: asks Kafka, by a request aiokafka has not.

DescribeLogDirs, version 4 (KIP-827, Kafka 3.3): https://kafka.apache.org/protocol#The_Messages_DescribeLogDirs
"""

from typing import Any

from aiokafka.errors import IncompatibleBrokerVersion
from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.types import (
    Boolean,
    CompactArray,
    CompactString,
    Int16,
    Int32,
    Int64,
    Schema,
    TaggedFields,
)

from pipeline.kafka import clients
from pipeline.settings import Settings

_API, _VERSION = 35, 4

_PARTITION = (
    ("partition_index", Int32),
    ("partition_size", Int64),
    ("offset_lag", Int64),
    ("is_future_key", Boolean),
    ("tags", TaggedFields),
)
_TOPIC = (
    ("name", CompactString("utf-8")),
    ("partitions", CompactArray(*_PARTITION)),
    ("tags", TaggedFields),
)
_DIRECTORY = (
    ("error_code", Int16),
    ("log_dir", CompactString("utf-8")),
    ("topics", CompactArray(*_TOPIC)),
    ("total_bytes", Int64),
    ("usable_bytes", Int64),
    ("tags", TaggedFields),
)
_ASKED = (
    ("topic", CompactString("utf-8")),
    ("partitions", CompactArray(Int32)),
    ("tags", TaggedFields),
)


class _Answer(Response):  # type: ignore[misc]
    API_KEY = _API
    API_VERSION = _VERSION
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        ("error_code", Int16),
        ("results", CompactArray(*_DIRECTORY)),
        ("tags", TaggedFields),
    )


class _Question(RequestStruct):  # type: ignore[misc]
    API_KEY = _API
    API_VERSION = _VERSION
    RESPONSE_TYPE = _Answer
    FLEXIBLE_VERSION = True
    SCHEMA = Schema(("topics", CompactArray(*_ASKED)), ("tags", TaggedFields))


class _DescribeLogDirs(Request[_Question]):  # type: ignore[misc]
    API_KEY = _API

    def build(self, request_struct_class: type[_Question]) -> _Question:
        """Ask about no topic: the directories are told all the same."""
        return request_struct_class([], {})


async def free_disk(settings: Settings) -> dict[int, float]:
    """Give the share of the disk that is free, by broker, of its fullest log directory.

    One that it cannot use has nothing free. Of a broker that does not tell, nothing is given;
    KafkaError if none answers.
    """
    async with clients.admin(settings) as admin:
        found = {}
        for broker in (await admin.describe_cluster())["brokers"]:
            node = broker["node_id"]
            try:
                answer = await admin._send_request_to_node(node, _DescribeLogDirs())  # noqa: SLF001
            except (IncompatibleBrokerVersion, NotImplementedError):
                continue
            shares = [_free(each) for each in answer.to_object()["results"]]
            if known := [share for share in shares if share is not None]:
                found[node] = min(known)
    return found


def _free(directory: dict[str, Any]) -> float | None:
    if directory["error_code"]:
        return 0.0
    total = directory["total_bytes"]
    return float(directory["usable_bytes"] / total) if total > 0 else None
