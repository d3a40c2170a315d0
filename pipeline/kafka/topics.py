"""Creating the topics, reading them whole. Shell."""

from collections.abc import AsyncIterator, Callable
from datetime import datetime, timedelta
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import IncompatibleBrokerVersion, KafkaError

from pipeline.kafka import clients
from pipeline.kafka.rights import check_rights
from pipeline.kafka.unreachable import why_not
from pipeline.settings import Settings
from schemas import topics
from schemas.errors import Unavailable
from schemas.times import milliseconds
from schemas.topics import Topic, milliseconds_of

_ALREADY_EXISTS = 36
_TOPIC = ConfigResourceType.TOPIC
_RETENTION = "retention.ms"


def partitions_of(settings: Settings, *names: str) -> list[TopicPartition]:
    """Give every partition of our topics `names`, as it is called at this Kafka."""
    numbers = range(settings.kafka_partitions)
    return [TopicPartition(settings.topic(name), n) for name in names for n in numbers]


class TopicsFailed(Unavailable):
    """The topics are missing or wrong; the text says what to do."""


async def create_topics(settings: Settings) -> list[str]:
    """Create the topics that are missing; give their names.

    Raises:
        TopicsFailed: no broker answers, it refuses, or a topic that is there has another number
            of partitions.
        Forbidden: the login lacks a right.
    """
    try:
        async with clients.admin(settings) as admin:
            known = await admin.list_topics()
            missing = [topic for topic in topics.ALL if settings.topic(topic.name) not in known]
            if missing:
                await check_rights(settings, "topics")
                await _create(admin, missing, settings)
            await _check_partitions(admin, settings)
    except KafkaError as error:
        raise TopicsFailed(why_not(settings, error)) from error
    return [settings.topic(topic.name) for topic in missing]


async def _create(admin: AIOKafkaAdminClient, missing: list[Topic], settings: Settings) -> None:
    answer = await admin.create_topics(
        [
            NewTopic(
                settings.topic(topic.name),
                settings.kafka_partitions,
                settings.kafka_replication,
                # The embedded broker supports neither topic settings nor idempotence.
                topic_configs=topic.config(_kept(settings).get(settings.topic(topic.name))),
            )
            for topic in missing
        ]
    )
    for name, code, *detail in answer.topic_errors:
        if code not in (0, _ALREADY_EXISTS):
            raise TopicsFailed(
                f"topic {name}: Kafka refused to create it, with code {code}: {detail}"
            )


def _kept(settings: Settings) -> dict[str, timedelta]:
    return {settings.topic(name): how_long for name, how_long in settings.topic_retention.items()}


async def other_retention(settings: Settings) -> list[str]:
    """Say of each topic that keeps records longer or shorter than the settings say how to mend it.

    Only topics that the settings name are asked about; a broker that does not tell has none.
    KafkaError if none answers.
    """
    asked = [ConfigResource(_TOPIC, name, {_RETENTION: ""}) for name in _kept(settings)]
    if not asked:
        return []
    async with clients.admin(settings) as admin:
        try:
            [answer] = await admin.describe_configs(asked)
        except (IncompatibleBrokerVersion, NotImplementedError):
            return []
    return [
        _other(settings, name, wanted, int(entry[1]))
        for _, _, _, name, entries in answer.resources
        for entry in entries
        if (wanted := milliseconds_of(_kept(settings)[name])) != int(entry[1])
    ]


def _other(settings: Settings, name: str, wanted: int, found: int) -> str:
    return (
        f"topic {name} keeps records for {timedelta(milliseconds=found)}, "
        f"TOUCHSTREAM_TOPIC_RETENTION says {timedelta(milliseconds=wanted)}: run kafka-configs.sh "
        f"--bootstrap-server {settings.kafka_bootstrap_servers} --alter --entity-type topics "
        f"--entity-name {name} --add-config retention.ms={wanted}"
    )


def _names(settings: Settings) -> list[str]:
    return [settings.topic(topic.name) for topic in topics.ALL]


async def _check_partitions(admin: AIOKafkaAdminClient, settings: Settings) -> None:
    for described in await admin.describe_topics(_names(settings)):
        partitions = len(described["partitions"])
        if partitions not in (0, settings.kafka_partitions):
            raise TopicsFailed(
                f"topic {described['topic']} has {partitions} partitions, "
                f"TOUCHSTREAM_KAFKA_PARTITIONS says {settings.kafka_partitions}: set it to "
                f"{partitions}; another number would split visitors"
            )


async def read_topic(
    settings: Settings,
    topic: str,
    progress: Callable[[int], None] = lambda _: None,
    since: datetime | None = None,
) -> AsyncIterator[Any]:
    """Give every record that is in `topic` now, each partition in order; or only those `since`.

    Raises:
        TopicsFailed: no broker answers.
    """
    name = settings.topic(topic)
    partitions = [TopicPartition(name, number) for number in await _partitions(settings, name)]
    async with clients.consumer(settings, auto_offset_reset="earliest") as consumer:
        consumer.assign(partitions)
        await consumer.seek_to_beginning(*partitions)
        if since is not None:
            at = dict.fromkeys(partitions, milliseconds(since))
            for partition, place in (await consumer.offsets_for_times(at)).items():
                if place:
                    consumer.seek(partition, place.offset)
        open_ones = set(partitions)
        while open_ones:
            fetched = await consumer.getmany(*open_ones, timeout_ms=500)
            for records in fetched.values():
                progress(len(records))
                for record in records:
                    yield record
            open_ones = {tp for tp in open_ones if not await is_at_end(consumer, tp)}


async def is_at_end(consumer: AIOKafkaConsumer, partition: TopicPartition) -> bool:
    """Tell whether `consumer` has read `partition` to its end.

    The end comes from a fetch: asked directly, the embedded broker reports one that is too low.
    """
    highwater = consumer.highwater(partition)
    return highwater is not None and await consumer.position(partition) >= highwater


async def _partitions(settings: Settings, topic: str) -> list[int]:
    try:
        async with clients.admin(settings) as admin:
            [described] = await admin.describe_topics([topic])
    except KafkaError as error:
        raise TopicsFailed(why_not(settings, error)) from error
    if not described["partitions"]:
        raise TopicsFailed(f"topic {topic} is missing: run `touchstream topics`")
    return sorted(partition["partition"] for partition in described["partitions"])
