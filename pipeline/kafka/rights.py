"""Which rights each role needs at Kafka, and which of them its login has. Shell: asks the brokers.

Kafka tells a client what it may do with a topic or a group (KIP-430), so a role says at its start
all that is lacking, in one sentence, instead of failing at the first record. `NEEDED` is the list
in docs/kafka.md. Describe comes with Read and Write; idempotent writing needs no right of its own
(KIP-679).
"""

from collections.abc import Callable, Iterable
from typing import Literal, NamedTuple

from aiokafka.errors import IncompatibleBrokerVersion

from pipeline.kafka import clients
from pipeline.kafka.access import who
from pipeline.kafka.authorized import of_group, of_topics
from pipeline.kafka.unreachable import Forbidden
from pipeline.settings import Settings
from schemas import topics
from schemas.topics import DEAD_LETTERS, OVERFLOW, RAW, STATE, TABLES

Operation = Literal["Read", "Write", "Create", "Delete", "Describe"]
CODES: dict[Operation, int] = {"Read": 3, "Write": 4, "Create": 5, "Delete": 6, "Describe": 8}
"""Kafka's `AclOperation`; it tells what is allowed as a set of these bits."""


class Right(NamedTuple):
    """An operation on a topic, or on a group; a group that ends with `*` is a prefix."""

    operation: Operation
    kind: Literal["topic", "group"]
    name: str

    def __str__(self) -> str:
        return f"{self.operation} on {self.kind} {self.name}"


def _on(operation: Operation, *names: str) -> list[Right]:
    return [Right(operation, "topic", name) for name in names]


def _group(settings: Settings, *names: str, operation: Operation = "Read") -> list[Right]:
    return [Right(operation, "group", str(getattr(settings, f"{name}_group"))) for name in names]


def _collect(settings: Settings) -> list[Right]:
    overflow = [OVERFLOW.name] if settings.has_shares else []
    return _on("Write", RAW.name, DEAD_LETTERS.name, *overflow)


def _track(settings: Settings) -> list[Right]:
    return [
        *_on("Read", RAW.name, STATE.name),
        *_on("Write", RAW.name, STATE.name, *TABLES),
        *_group(settings, "tracker"),
    ]


def _sink(settings: Settings) -> list[Right]:
    return [*_on("Read", *TABLES), *_on("Write", DEAD_LETTERS.name), *_group(settings, "sink")]


def _watch(settings: Settings) -> list[Right]:
    groups = _group(settings, "tracker", "sink", operation="Describe")
    return [*_on("Read", RAW.name, *TABLES), *groups]


def _drain(settings: Settings) -> list[Right]:
    group = _group(settings, "drain")
    return [*_on("Read", OVERFLOW.name), *_on("Write", RAW.name), *group]


def _webhook(settings: Settings) -> list[Right]:
    names = [f"{settings.webhook_group}-{name}" for name in settings.webhook_endpoints]
    return [
        *_on("Read", topics.TRANSITIONS.name, topics.ABANDONMENTS.name),
        *_on("Write", DEAD_LETTERS.name),
        *(Right("Read", "group", name) for name in names or [f"{settings.webhook_group}-*"]),
    ]


def _topics(_settings: Settings) -> list[Right]:
    names = [topic.name for topic in topics.ALL]
    return [*_on("Create", *names), *_on("Describe", *names)]


def _import(_settings: Settings) -> list[Right]:
    return _on("Write", RAW.name, DEAD_LETTERS.name)


def _operate(settings: Settings) -> list[Right]:
    return [
        *_on("Read", RAW.name, STATE.name, *TABLES),
        *_on("Write", RAW.name, STATE.name, *TABLES),
        *_on("Delete", STATE.name),
        *_group(settings, "tracker", "sink"),
    ]


NEEDED: dict[str, Callable[[Settings], list[Right]]] = {
    "topics": _topics,
    "collect": _collect,
    "track": _track,
    "sink": _sink,
    "watch": _watch,
    "drain": _drain,
    "webhook": _webhook,
    "import": _import,
    "erase, rebuild, replay, oracle, verify": _operate,
}
"""The least rights of each command, with our own names of topics. `live` and the reports talk to
ClickHouse alone."""


def rights_of(settings: Settings, role: str) -> list[Right]:
    """Give the least rights of `role`, by the names that its topics have at this Kafka."""
    return [
        right._replace(name=settings.topic(right.name)) if right.kind == "topic" else right
        for right in NEEDED[role](settings)
    ]


async def check_rights(settings: Settings, role: str) -> None:
    """Pass if the login may do all that `role` does; without TLS and login nothing is asked.

    Raises:
        Forbidden: it lacks a right; the text says which.
        KafkaError: no broker answers.
    """
    if not (settings.kafka_tls or settings.kafka_sasl):
        return
    if lacking := await lacking_rights(settings, rights_of(settings, role)):
        raise Forbidden(
            f"{who(settings)} lacks rights at Kafka {settings.kafka_bootstrap_servers} that "
            f"`touchstream {role}` needs: {', '.join(map(str, lacking))}. Grant them as "
            "docs/kafka.md shows"
        )


async def lacking_rights(settings: Settings, needed: Iterable[Right]) -> list[Right]:
    """Give what the login lacks of `needed`; nothing of a broker that does not tell."""
    rights = [right for right in needed if not right.name.endswith("*")]
    on_topics = [right for right in rights if right.kind == "topic"]
    on_groups = [right for right in rights if right.kind == "group"]
    async with clients.admin(settings) as admin:
        try:
            allowed = await of_topics(admin, sorted({right.name for right in on_topics}))
            lacking = [r for r in on_topics if not _is_in(r, allowed.get(r.name, 0))]
            for right in on_groups:
                lacking += [right] * (not _is_in(right, await of_group(admin, right.name)))
        except (IncompatibleBrokerVersion, NotImplementedError):
            return []
    return lacking


def _is_in(right: Right, allowed: int) -> bool:
    return bool(allowed & 1 << CODES[right.operation])
