"""Every role on a Kafka with TLS, logins and rights; each has a user with its least rights.

The Kafka is shared with others: all names have a prefix, and nobody has a right on other names.
"""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import pytest_asyncio
from aiokafka.errors import KafkaError
from clickhouse_connect.driver.client import Client

from pipeline.kafka import clients
from pipeline.kafka.producer import NotAcknowledged
from pipeline.kafka.rights import Right, lacking_rights, rights_of
from pipeline.kafka.topics import create_topics, other_retention
from pipeline.kafka.unreachable import why_not
from pipeline.operations.doctor import examine
from pipeline.settings import BadSettings, Settings
from schemas.topics import ALL, LINKS, RAW, SESSIONS
from tests.support.database import migrated_database
from tests.support.engine import EngineServer
from tests.support.line import Line
from tests.support.ports import free_ports
from tests.support.secured_kafka import PASSWORD, SecuredKafka, token

ROLES = ("topics", "collect", "track", "sink", "watch", "drain", "webhook", "import")
PREFIX = "team."
ENDPOINTS = {"crm": {"url": "https://crm.example/", "secret": "s" * 32}}


def of_role(role: str) -> list[Right]:
    known = Settings.model_validate({"webhook_endpoints": ENDPOINTS, "kafka_prefix": PREFIX})
    return rights_of(known, role)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def kafka(
    kafka_jars: None, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[SecuredKafka]:
    """Give one node, where each role's user has its rights and `stranger` has none."""
    async with SecuredKafka(
        tmp_path_factory.mktemp("kafka"), (*ROLES, "stranger"), PREFIX
    ) as cluster:
        for role in ROLES:
            await cluster.grant(role, of_role(role))
        await create_topics(cluster.settings("topics"))
        yield cluster


async def names_of_topics(settings: Settings) -> list[str]:
    async with clients.admin(settings) as admin:
        found: list[str] = await admin.list_topics()
    return found


async def test_a_topic_is_made_with_the_retention_of_the_settings(kafka: SecuredKafka) -> None:
    kept = {LINKS.name: timedelta(days=30), SESSIONS.name: timedelta(days=7)}
    known = kafka.open.model_copy(update={"topic_retention": kept})
    links = known.topic(LINKS.name)
    [said] = await other_retention(known)
    assert "topic team.links keeps records for 7 days, 0:00:00" in said
    assert "--entity-name team.links --add-config retention.ms=2592000000" in said
    told = {f.subject: f async for f in examine(known)}
    assert (told["topics"].verdict, told["topics"].says) == ("WRONG", said)
    async with clients.admin(kafka.open) as admin:
        await admin.delete_topics([links])
        while links in await admin.list_topics():  # noqa: ASYNC110 - nobody tells when
            await asyncio.sleep(0.05)
    assert await create_topics(known) == [links]
    assert await other_retention(known) == []


async def test_who_may_not_see_a_retention_is_told_nothing_of_it(kafka: SecuredKafka) -> None:
    kept = {LINKS.name: timedelta(days=99)}
    assert await other_retention(kafka.settings("sink", topic_retention=kept)) == []


async def test_the_doctor_names_the_rights_that_a_login_lacks(kafka: SecuredKafka) -> None:
    await until_lacking(kafka.settings("sink"), of_role("sink"), set())
    own = {f.subject: f async for f in examine(kafka.settings("sink"), "sink")}
    subjects = ("rights of sink", "topics", "partitions", "lag of sink")
    assert [own[s].says for s in subjects if own[s].verdict != "ok"] == []
    other = {f.subject: f async for f in examine(kafka.settings("watch"), "sink")}
    assert other["rights of sink"].verdict == "WRONG"
    assert "Write on topic team.dead-letters" in other["rights of sink"].says


async def refusal_of(settings: Settings) -> str:
    with pytest.raises(KafkaError) as refused:
        await names_of_topics(settings)
    return why_not(settings, refused.value)


async def test_topics_that_are_there_need_no_right_to_create(kafka: SecuredKafka) -> None:
    seen = [right for right in of_role("topics") if right.operation == "Describe"]
    await kafka.grant("stranger", seen)
    await until_lacking(kafka.settings("stranger"), seen, set())
    assert await create_topics(kafka.settings("stranger")) == []


@pytest.mark.parametrize(
    ("user", "mechanism"),
    [("sink", "SCRAM-SHA-256"), ("sink", "SCRAM-SHA-512"), ("plain", "PLAIN")],
)
async def test_a_password_logs_in(kafka: SecuredKafka, user: str, mechanism: str) -> None:
    await kafka.grant("plain", of_role("sink"))
    await until_lacking(kafka.settings("plain", "PLAIN"), of_role("sink"), set())
    assert "team.sessions" in await names_of_topics(kafka.settings(user, mechanism))


async def test_a_wrong_password_is_told(kafka: SecuredKafka) -> None:
    said = await refusal_of(kafka.settings("sink", kafka_password="wrong"))
    assert "refuses the login of the user sink" in said


async def test_a_token_from_a_file_or_a_command_logs_in(
    kafka: SecuredKafka, tmp_path: Path
) -> None:
    file = tmp_path / "token"
    file.write_text(token("sink") + "\n")
    say = f"import json; print(json.dumps({{'access_token': open({str(file)!r}).read().strip()}}))"
    base = {"kafka_user": "", "kafka_password": ""}
    by_file = kafka.settings(
        "", "OAUTHBEARER", **base, kafka_token_file=file, kafka_request_timeout=2
    )
    by_command = kafka.settings(
        "", "OAUTHBEARER", **base, kafka_token_command=[sys.executable, "-c", say]
    )
    assert "team.sessions" in await names_of_topics(by_file)
    assert "team.sessions" in await names_of_topics(by_command)
    file.write_text(token("sink", seconds=-60))
    assert "expired at" in await refusal_of(by_file)
    file.write_text("nonsense")
    assert "refuses the login of the owner of the token" in await refusal_of(by_file)
    with pytest.raises(NotAcknowledged, match="refuses the login of the owner of the token"):
        async with clients.producer(by_file, RAW.name):
            pass
    file.unlink()
    assert "there is no login at Kafka: TOUCHSTREAM_KAFKA_TOKEN_FILE" in await refusal_of(by_file)
    assert "ended with 1" in await refusal_of(by_command)


async def test_a_client_certificate_logs_in(kafka: SecuredKafka) -> None:
    certificate = kafka.authority.certificate("sink", password=PASSWORD)
    given: dict[str, Any] = {
        "kafka_bootstrap_servers": kafka.certificate_address,
        "kafka_tls": True,
        "kafka_ca_file": kafka.folder / "ca.pem",
    }
    own = given | {"kafka_certificate_file": certificate}
    known = Settings(**own, kafka_key_password=PASSWORD)
    assert "team.sessions" in await names_of_topics(known)
    with pytest.raises(BadSettings, match="do not fit together"):
        await names_of_topics(Settings(**own, kafka_key_password="wrong"))
    assert "wants a client's certificate" in await refusal_of(Settings(**given))


async def test_an_unknown_authority_is_told(kafka: SecuredKafka) -> None:
    said = await refusal_of(kafka.settings("sink", kafka_ca_file=None))
    assert "there is no TLS connection with Kafka" in said
    assert "certificate verify failed" in said


async def test_a_broker_that_wants_tls_is_told(kafka: SecuredKafka) -> None:
    address = kafka.settings("sink").kafka_bootstrap_servers
    said = await refusal_of(Settings(kafka_bootstrap_servers=address))
    assert "if it wants TLS, set TOUCHSTREAM_KAFKA_TLS=true" in said


@pytest.mark.parametrize("role", ROLES)
async def test_each_right_that_is_taken_away_is_named(kafka: SecuredKafka, role: str) -> None:
    needed = of_role(role)
    known = kafka.settings(role)
    await until_lacking(known, needed, set())
    some = {right[:2]: right for right in reversed(needed)}.values()  # LONG=1: each of them
    for right in needed if os.environ.get("LONG") else some:
        await kafka.take(role, right)
        hidden = {r for r in needed if right.operation == "Describe" and r.name == right.name}
        await until_lacking(known, needed, {right} | (hidden if role == "topics" else set()))
        await kafka.grant(role, [right])
        await until_lacking(known, needed, set())


async def until_lacking(settings: Settings, needed: list[Right], expected: set[Right]) -> None:
    """Ask until just this is lacking: the broker hears of a change a moment later."""
    found: list[Right] = []
    for _ in range(100):
        if (found := await lacking_rights(settings, needed)) == sorted(expected, key=needed.index):
            return
        await asyncio.sleep(0.02)
    assert found == sorted(expected, key=needed.index)


class SecuredLine(Line):
    """Each role logs in as a user of its own name."""

    def __init__(self, kafka: SecuredKafka, environment: dict[str, str], folder: Path) -> None:
        super().__init__(kafka.open, environment, folder)
        self._kafka = kafka

    def environment_of(self, role: str) -> dict[str, str]:
        return self.environment | self._kafka.variables(role)


@pytest_asyncio.fixture(loop_scope="session")
async def line(
    kafka: SecuredKafka, engine: EngineServer, tmp_path: Path
) -> AsyncIterator[tuple[SecuredLine, str, Client]]:
    """Give the line, the collector's address, and a client for the tables."""
    collector, *_ = free_ports(1)
    with migrated_database(engine) as client:
        environment = {
            **{name: value for name, value in os.environ.items() if "TOUCHSTREAM" not in name},
            "TOUCHSTREAM_CONFIG": os.devnull,
            "TOUCHSTREAM_WRITE_KEYS": "wk:shop",
            "TOUCHSTREAM_COLLECTOR_PORT": str(collector),
            "TOUCHSTREAM_CLICKHOUSE_URL": engine.url,
            "TOUCHSTREAM_CLICKHOUSE_DATABASE": str(client.database),
            "TOUCHSTREAM_SINK_BATCH_WAIT": "PT0.1S",
            "TOUCHSTREAM_TRACKER_TICK": "PT1H",
            "TOUCHSTREAM_WEBHOOK_ENDPOINTS": json.dumps(ENDPOINTS),
            **{f"TOUCHSTREAM_{role}_METRICS_PORT": "0" for role in _WITH_METRICS},
        }
        made = SecuredLine(kafka, environment, tmp_path)
        try:
            yield made, f"http://127.0.0.1:{collector}", client
        finally:
            await made.stop()


_WITH_METRICS = ("TRACKER", "SINK", "WATCH", "DRAIN", "WEBHOOK")


async def test_a_role_that_lacks_a_right_names_it_and_ends(
    kafka: SecuredKafka, line: tuple[SecuredLine, str, Client]
) -> None:
    roles = ("track", "sink", "watch", "drain", "webhook")
    lacking = {role: of_role(role)[-1] for role in roles}
    for role, right in lacking.items():
        await kafka.take(role, right)
        await until_lacking(kafka.settings(role), of_role(role), {right})
    for role in roles:
        await line[0].start(role)
    codes = {role: await line[0].ended(role) for role in roles}
    for role, right in lacking.items():
        said = line[0].log(role)
        assert f"the user {role} lacks rights at Kafka" in said
        assert f"`touchstream {role}` needs: {right}. Grant" in said
        assert "Traceback" not in said
        await kafka.grant(role, [right])
        await until_lacking(kafka.settings(role), of_role(role), set())
    assert codes == dict.fromkeys(roles, 69)


async def test_the_whole_line_works_with_the_least_rights(
    kafka: SecuredKafka,
    line: tuple[SecuredLine, str, Client],
) -> None:
    processes, collector, client = line
    for role in ("collect", "track", "sink"):
        await processes.start(role)
    call = {"writeKey": "wk", "anonymousId": "anna", "event": "Product Viewed", "type": "track"}
    async with aiohttp.ClientSession() as session:
        for _ in range(300):
            if await _sent(session, collector, call) == 200:
                break
            await asyncio.sleep(0.2)
    found: list[Any] = []
    for _ in range(300):
        if found := list(client.query("SELECT session_id FROM sessions FINAL").result_rows):
            break
        await asyncio.sleep(0.2)
    assert found, {name: processes.log(name)[-2000:] for name in ("collect", "track", "sink")}
    await processes.settle()
    assert await processes.differences(client) == []
    names = {name for name in await names_of_topics(kafka.open) if not name.startswith("__")}
    assert names == {kafka.open.topic(topic.name) for topic in ALL}


async def _sent(session: aiohttp.ClientSession, collector: str, call: dict[str, str]) -> int:
    try:
        async with session.post(f"{collector}/v1/track", json=call) as answer:
            return answer.status
    except aiohttp.ClientError:
        return 0
