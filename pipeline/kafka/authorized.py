"""What the login may do with topics and groups. Shell: asks Kafka, by requests aiokafka has not.

Metadata, version 8, and DescribeGroups, version 3 (KIP-430, Kafka 2.3), each answer with the
allowed operations as a set of bits: https://kafka.apache.org/protocol#The_Messages_Metadata
"""

import asyncio
from collections.abc import Sequence

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import (
    CoordinatorLoadInProgressError,
    GroupAuthorizationFailedError,
    GroupCoordinatorNotAvailableError,
)
from aiokafka.protocol.admin import DescribeGroupsRequest_v3, DescribeGroupsResponse_v3
from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.types import Array, Boolean, Int16, Int32, Schema, String

_PATIENCE_SECONDS = 10.0
_PAUSE_SECONDS = 0.2


async def of_topics(admin: AIOKafkaAdminClient, names: Sequence[str]) -> dict[str, int]:
    """Give the bits of each topic; none for one that the login may not even see."""
    node = admin._client.get_random_node()  # noqa: SLF001 - its public calls do not ask for rights
    answer = await admin._send_request_to_node(node, _AskOfTopics(names))  # noqa: SLF001
    return {topic["name"]: max(0, topic["authorized"]) for topic in answer.to_object()["topics"]}


async def of_group(admin: AIOKafkaAdminClient, name: str) -> int:
    """Give the bits of group `name`; a new cluster is waited for until it has a coordinator."""
    try:
        async with asyncio.timeout(_PATIENCE_SECONDS):
            node = await _coordinator(admin, name)
    except GroupAuthorizationFailedError:
        return 0
    answer = await admin._send_request_to_node(node, _AskOfGroup(name))  # noqa: SLF001
    [group] = answer.groups
    bits: int = group[-1]
    return max(0, bits)


async def _coordinator(admin: AIOKafkaAdminClient, group: str) -> int:
    while True:
        try:
            found: int = await admin.find_coordinator(group)
        except (GroupCoordinatorNotAvailableError, CoordinatorLoadInProgressError):
            await asyncio.sleep(_PAUSE_SECONDS)
        else:
            return found


_PARTITION = (
    ("error_code", Int16),
    ("partition", Int32),
    ("leader", Int32),
    ("leader_epoch", Int32),
    ("replicas", Array(Int32)),
    ("isr", Array(Int32)),
    ("offline_replicas", Array(Int32)),
)
_TOPIC = (
    ("error_code", Int16),
    ("name", String("utf-8")),
    ("is_internal", Boolean),
    ("partitions", Array(*_PARTITION)),
    ("authorized", Int32),
)
_BROKER = (
    ("node_id", Int32),
    ("host", String("utf-8")),
    ("port", Int32),
    ("rack", String("utf-8")),
)


class _Topics(Response):  # type: ignore[misc]
    API_KEY = 3
    API_VERSION = 8
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        ("brokers", Array(*_BROKER)),
        ("cluster_id", String("utf-8")),
        ("controller_id", Int32),
        ("topics", Array(*_TOPIC)),
        ("cluster_authorized", Int32),
    )


class _TopicsQuestion(RequestStruct):  # type: ignore[misc]
    API_KEY = 3
    API_VERSION = 8
    RESPONSE_TYPE = _Topics
    SCHEMA = Schema(
        ("topics", Array(String("utf-8"))),
        ("allow_auto_topic_creation", Boolean),
        ("include_cluster_authorized_operations", Boolean),
        ("include_topic_authorized_operations", Boolean),
    )


class _AskOfTopics(Request[_TopicsQuestion]):  # type: ignore[misc]
    API_KEY = 3

    def __init__(self, names: Sequence[str]) -> None:
        self._names = [*names]

    def build(self, request_struct_class: type[_TopicsQuestion]) -> _TopicsQuestion:
        """Ask about the topics, and make none of them."""
        return request_struct_class(self._names, False, False, True)


class _GroupQuestion(DescribeGroupsRequest_v3):  # type: ignore[misc]
    RESPONSE_TYPE = DescribeGroupsResponse_v3  # aiokafka 0.14 reads the answer as version 2


class _AskOfGroup(Request[_GroupQuestion]):  # type: ignore[misc]
    API_KEY = 15

    def __init__(self, name: str) -> None:
        self._name = name

    def build(self, request_struct_class: type[_GroupQuestion]) -> _GroupQuestion:
        """Ask about the group and what is allowed with it."""
        return request_struct_class([self._name], True)
