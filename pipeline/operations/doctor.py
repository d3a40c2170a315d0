"""Whether everything that the roles need is there: the findings of `touchstream doctor`. Shell.

Each check gives one finding. What depends on a part that does not answer is not asked.
"""

import shutil
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Mapping
from contextlib import closing
from datetime import UTC, datetime, timedelta
from functools import partial
from importlib.metadata import version
from platform import python_version
from typing import Literal, NamedTuple

from aiokafka.errors import KafkaError
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError

from pipeline.clickhouse import connect
from pipeline.kafka import clients
from pipeline.kafka.disks import free_disk
from pipeline.kafka.lag import committed_until, partition_states
from pipeline.kafka.rights import NEEDED, lacking_rights, rights_of
from pipeline.kafka.topics import other_retention
from pipeline.kafka.unreachable import why_not
from pipeline.settings import Settings
from schemas import topics
from schemas.errors import TouchstreamError
from sinks.migrate import check_version, read_migrations, strangers

Verdict = Literal["ok", "WRONG", "unknown", "silent"]
"""`silent` is a part that does not answer."""

_MOST_BEHIND = timedelta(minutes=5)
_MOST_APART = timedelta(seconds=2)
_LEAST_FREE = 0.15
_DISKS = "SELECT name, free_space / total_space FROM system.disks WHERE total_space > 0"


class Finding(NamedTuple):
    """What was looked at, how it is, and a sentence that says what to do if it is not well."""

    subject: str
    verdict: Verdict
    says: str


async def examine(settings: Settings, role: str = "") -> AsyncIterator[Finding]:
    """Look at everything; the rights and topics at Kafka are those of `role`, or of every role."""
    yield Finding(
        "version", "ok", f"Touchstream {version('touchstream')}, Python {python_version()}"
    )
    yield _local_disk(settings)
    async for finding in _kafka(settings, role):
        yield finding
    for finding in _clickhouse(settings):
        yield finding


def _local_disk(settings: Settings) -> Finding:
    folder = settings.embedded_path
    while not folder.exists():
        folder = folder.absolute().parent
    return _of_disk("disk", f"{folder.absolute()}", _free(folder))


def _free(folder: object) -> float:
    usage = shutil.disk_usage(str(folder))
    return usage.free / usage.total


def _of_disk(subject: str, where: str, free: float) -> Finding:
    if free < _LEAST_FREE:
        return Finding(subject, "WRONG", f"{where} has {free:.0%} left: make room, or enlarge it")
    return Finding(subject, "ok", f"{where} has {free:.0%} left")


async def _kafka(settings: Settings, role: str) -> AsyncIterator[Finding]:
    try:
        async with clients.admin(settings) as admin:
            brokers = (await admin.describe_cluster())["brokers"]
            known = set(await admin.list_topics())
    except (KafkaError, TouchstreamError, TimeoutError) as error:
        yield Finding("Kafka", "silent", _sentence(settings, error))
        return
    yield Finding("Kafka", "ok", f"{settings.kafka_bootstrap_servers}, brokers: {len(brokers)}")
    for name in _roles(settings, role):
        yield await _checked(settings, f"rights of {name}", _rights(name))
    wanted = _of_role(settings, role)
    there = await _checked(settings, "topics", partial(_topics, ours=wanted, known=known))
    yield there
    if there.verdict == "ok":  # else a question about a partition that is not there takes long
        yield await _checked(settings, "partitions", partial(_partitions, names=wanted))
        for name, (group, names) in _groups(settings, role).items():
            yield await _checked(settings, f"lag of {name}", _lag(group, names))
    for broker, free in (await free_disk(settings)).items():
        yield _of_disk("Kafka's disk", f"broker {broker}", free)


async def _checked(
    settings: Settings, subject: str, check: Callable[[Settings], Awaitable[str]]
) -> Finding:
    try:
        return Finding(subject, "ok", await check(settings))
    except _Wrong as wrong:
        return Finding(subject, "WRONG", str(wrong))
    except (KafkaError, TouchstreamError, TimeoutError) as error:
        return Finding(subject, "unknown", _sentence(settings, error))


class _Wrong(Exception):
    """The text says what, and what to do."""


def _sentence(settings: Settings, error: BaseException) -> str:
    return why_not(settings, error) if isinstance(error, KafkaError | TimeoutError) else str(error)


def _roles(settings: Settings, role: str) -> Iterable[str]:
    if not (settings.kafka_tls or settings.kafka_sasl):
        return ()
    if role:
        return (role,)
    absent = {"webhook": not settings.webhook_endpoints, "drain": not settings.has_shares}
    return (name for name in NEEDED if not absent.get(name))


def _rights(role: str) -> Callable[[Settings], Awaitable[str]]:
    async def check(settings: Settings) -> str:
        if lacking := await lacking_rights(settings, rights_of(settings, role)):
            raise _Wrong(f"lacks {', '.join(map(str, lacking))}: grant it as docs/kafka.md shows")
        return "the login has all it needs"

    return check


def _of_role(settings: Settings, role: str) -> list[str]:
    needed = {right.name for right in NEEDED[role](settings)} if role else set()
    return [topic.name for topic in topics.ALL if not role or topic.name in needed]


async def _topics(settings: Settings, ours: list[str], known: set[str]) -> str:
    wanted_ones = [settings.topic(name) for name in ours]
    if missing := [name for name in wanted_ones if name not in known]:
        hidden = ", or hidden from this login" if settings.kafka_sasl else ""
        raise _Wrong(f"missing{hidden}: {', '.join(missing)}; run `touchstream topics`")
    async with clients.admin(settings) as admin:
        described = await admin.describe_topics(wanted_ones)
    wanted = settings.kafka_partitions
    found = {topic["topic"]: len(topic["partitions"]) for topic in described}
    if other := {name: number for name, number in found.items() if number != wanted}:
        told = ", ".join(f"{name} has {number}" for name, number in sorted(other.items()))
        raise _Wrong(
            f"TOUCHSTREAM_KAFKA_PARTITIONS is {wanted}, but {told}: set it to what the topics "
            "have; another number would split visitors"
        )
    if sentences := await other_retention(settings):
        raise _Wrong("; ".join(sentences))
    return f"all {len(found)}, with {wanted} partitions each"


async def _partitions(settings: Settings, names: list[str]) -> str:
    states = await partition_states(settings, names)
    if states["well"] < sum(states.values()):
        raise _Wrong(
            f"without a leader: {states['without_leader']}, with fewer replicas than they should "
            f"have: {states['under_replicated']}; bring the missing broker back"
        )
    return "every one has its leader and its replicas"


def _groups(settings: Settings, role: str) -> Mapping[str, tuple[str, Iterable[str]]]:
    groups: dict[str, tuple[str, Iterable[str]]] = {
        "tracker": (settings.tracker_group, [topics.RAW.name]),
        "sink": (settings.sink_group, topics.TABLES),
    }
    if settings.has_shares:
        groups["drain"] = (settings.drain_group, [topics.OVERFLOW.name])
    seen = {right.name for right in NEEDED[role](settings)} if role else set()
    return {name: group for name, group in groups.items() if not role or group[0] in seen}


def _lag(group: str, names: Iterable[str]) -> Callable[[Settings], Awaitable[str]]:
    async def check(settings: Settings) -> str:
        now = datetime.now(UTC)
        behind = now - await committed_until(settings, group, names, now)
        if behind > _MOST_BEHIND:
            raise _Wrong(
                f"{_rounded(behind)} behind: does it run, and does its log complain? If it cannot "
                "keep up, start more of it (docs/operations.md, scale out)"
            )
        return f"{_rounded(behind)} behind"

    return check


def _rounded(span: timedelta) -> str:
    return str(timedelta(seconds=round(span.total_seconds())))


def _clickhouse(settings: Settings) -> Iterator[Finding]:
    try:
        client = connect(settings)
    except TouchstreamError as error:
        yield Finding("ClickHouse", "silent", str(error))
        return
    with closing(client):
        yield _asked("ClickHouse", lambda: _server(client, settings))
        yield _asked("clock", lambda: _clock(client))
        yield _asked("tables", lambda: _tables(client))
        yield from _disks(client)


def _asked(subject: str, ask: Callable[[], str]) -> Finding:
    try:
        return Finding(subject, "ok", ask())
    except (_Wrong, TouchstreamError) as wrong:
        return Finding(subject, "WRONG", str(wrong))
    except ClickHouseError as error:
        return Finding(subject, "unknown", _first_line(error))


def _first_line(error: ClickHouseError) -> str:
    return str(error).partition("server response: ")[2].partition("\n")[0] or str(error)


def _server(client: Client, settings: Settings) -> str:
    check_version(client)
    return f"{settings.clickhouse_url}, version {client.server_version}"


def _clock(client: Client) -> str:
    before = datetime.now(UTC)
    [[told]] = client.query("SELECT toUnixTimestamp64Milli(now64(3))").result_rows
    middle = before + (datetime.now(UTC) - before) / 2
    apart = datetime.fromtimestamp(told / 1000, UTC) - middle
    if abs(apart) > _MOST_APART:
        raise _Wrong(
            f"ClickHouse's is {apart.total_seconds():+.1f} s from this machine's: set both by NTP"
        )
    return f"ClickHouse's is {apart.total_seconds():+.1f} s from this machine's"


def _tables(client: Client) -> str:
    migrations = read_migrations()
    pending, unknown = strangers(client, migrations)
    if unknown:
        raise _Wrong(
            f"a newer version has made them ({len(unknown)} migrations are unknown here): upgrade "
            "this one"
        )
    if pending:
        raise _Wrong(
            f"{len(pending)} of {len(migrations)} migrations miss: run `touchstream migrate`"
        )
    return f"all {len(migrations)} migrations are applied"


def _disks(client: Client) -> Iterator[Finding]:
    try:
        rows = client.query(_DISKS).result_rows
    except ClickHouseError as error:
        yield Finding("ClickHouse's disk", "unknown", _first_line(error))
        return
    yield from (_of_disk("ClickHouse's disk", str(name), float(free)) for name, free in rows)
