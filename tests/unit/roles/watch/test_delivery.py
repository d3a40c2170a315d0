"""Alerts reach real servers on this machine; who fails is told again, and holds up nobody."""

import asyncio
import base64
import json
import shutil
import smtplib
import time
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import aiohttp
import click
import pytest
from click.testing import CliRunner

from pipeline.cli import main
from pipeline.cli.shared import MOMENT
from pipeline.roles.watch.delivery.channels import Channels, send_mail, send_test
from pipeline.roles.watch.delivery.messages import for_mail
from pipeline.settings import Settings
from schemas.alert import Alert
from tests.support.mail_server import MailServer, mail_server
from tests.support.ports import free_ports
from tests.support.receiver import Receiver, receiver
from tests.unit.roles.watch import test_alert_messages

KEY = b"k" * 32
SECRET = f"whsec_{base64.b64encode(KEY).decode()}"


def settings(server: Receiver, **more: object) -> Settings:
    """A webhook and Slack at `server`."""
    told: dict[str, object] = {
        "watch_webhook_url": server.url("/hook"),
        "watch_webhook_secret": SECRET,
        "watch_slack_url": server.url("/slack"),
    }
    return Settings.model_validate(told | more)


@asynccontextmanager
async def channels(chosen: Settings) -> AsyncIterator[Channels]:
    async with aiohttp.ClientSession() as session, aclosing(Channels(chosen, session)) as made:
        yield made


@pytest.fixture
async def server() -> AsyncIterator[Receiver]:
    async with receiver() as running:
        yield running


@pytest.fixture
async def mail() -> AsyncIterator[MailServer]:
    async with mail_server() as running:
        yield running


async def eventually(is_true: Callable[[], object]) -> None:
    async with asyncio.timeout(20):
        while not is_true():  # noqa: ASYNC110 - what is waited for is not ours to signal
            await asyncio.sleep(0.02)


def paths(server: Receiver) -> list[str]:
    return [each.path for each in server.posted]


def at_hook(server: Receiver) -> list[str]:
    """The ids of the alerts that came to /hook, in order."""
    return [each.said["data"]["alert_id"] for each in server.posted if each.path == "/hook"]


def alert(**changed: object) -> Alert:
    return test_alert_messages.alert(**{"updated_at": datetime.now(UTC)} | changed)


def other() -> Alert:
    return alert(alert_id="b" * 32)


def resolved() -> Alert:
    return alert(state="resolved", resolved_at=datetime.now(UTC), version=3)


async def openssl(*command: str, said: bytes) -> bytes:
    pipe = asyncio.subprocess.PIPE
    running = await asyncio.create_subprocess_exec(
        "openssl", *command, "-binary", stdin=pipe, stdout=pipe
    )
    return (await running.communicate(said))[0]


@pytest.mark.skipif(not shutil.which("openssl"), reason="openssl checks the signature")
async def test_openssl_finds_the_signature_of_a_webhook_right(server: Receiver) -> None:
    async with channels(settings(server)) as told:
        await told.tell([alert()], [])
    [posted] = [each for each in server.posted if each.path == "/hook"]
    head = posted.headers
    signed = f"{head['webhook-id']}.{head['webhook-timestamp']}.".encode() + posted.body
    digest = await openssl(
        "dgst", "-sha256", "-mac", "HMAC", "-macopt", f"hexkey:{KEY.hex()}", said=signed
    )
    assert head["webhook-signature"] == f"v1,{base64.b64encode(digest).decode()}"
    assert abs(int(head["webhook-timestamp"]) - time.time()) < 60


async def test_slack_gets_a_text_and_blocks(server: Receiver) -> None:
    async with channels(settings(server)) as told:
        await told.tell([alert()], [])
    [posted] = [each.said for each in server.posted if each.path == "/slack"]
    assert posted["text"].startswith(":rotating_light: shop: Checkout Started")
    assert {block["type"] for block in posted["blocks"]} == {"section", "context"}
    texts = json.dumps(posted["blocks"])
    assert "<http://127.0.0.1/d/x|Look at it>" in texts


async def test_a_mail_server_takes_the_mails_of_an_alert_as_one_thread(
    server: Receiver, mail: MailServer
) -> None:
    chosen = settings(server, **mail_settings(mail))
    async with channels(chosen) as told:
        await told.tell([alert()], [])
        await told.tell([resolved()], [])
    first, last = mail.mails
    assert mail.receivers == ["on@call.example", "two@call.example"] * 2
    assert last["In-Reply-To"] == first["Message-ID"]
    assert "3,180.00 EUR" in first.get_content()


def mail_settings(mail: MailServer) -> dict[str, object]:
    return {
        "watch_smtp_url": mail.url,
        "watch_mail_from": "Touchstream <shop@s.example>",
        "watch_mail_to": ["on@call.example", "two@call.example"],
    }


async def test_what_was_not_taken_is_sent_again_in_its_newest_version_and_then_no_more(
    server: Receiver,
) -> None:
    server.answers["/hook"] = [500, 302, 200]
    async with channels(settings(server)) as told:
        await told.tell([alert()], [])
        await told.tell([], [])
        await told.tell([resolved()], [])
        await told.tell([], [])
    versions = [e.said["data"]["version"] for e in server.posted if e.path == "/hook"]
    assert versions == [1, 1, 3]
    assert paths(server).count("/slack") == 2
    assert "/elsewhere" not in paths(server)


async def test_an_alert_that_is_refused_holds_up_no_other_of_its_channel(server: Receiver) -> None:
    server.answers["/hook"] = [400, 200]
    async with channels(settings(server)) as told:
        await told.tell([alert(), other()], [])
        assert at_hook(server) == ["a" * 32, "b" * 32]
        await told.tell([], [])
    assert at_hook(server) == ["a" * 32, "b" * 32, "a" * 32]


async def test_what_nobody_takes_for_a_day_is_given_up(server: Receiver) -> None:
    server.answers["/hook"] = [400]
    yesterday = datetime.now(UTC) - timedelta(hours=25)
    async with channels(settings(server)) as told:
        await told.tell([alert(), alert(alert_id="c" * 32, updated_at=yesterday)], [])
        await told.tell([], [])
    assert at_hook(server).count("c" * 32) == 1


async def test_a_mail_that_is_refused_holds_up_no_other(server: Receiver, mail: MailServer) -> None:
    mail.answers = ["554 no", "250 taken"]
    async with channels(settings(server, **mail_settings(mail))) as told:
        await told.tell([alert(), other()], [])
        assert len(mail.mails) == 1
        await told.tell([], [])
    assert len(mail.mails) == 2


async def test_a_channel_that_hangs_holds_up_neither_the_others_nor_the_watch(
    server: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipeline.roles.watch.delivery.channels._PATIENCE_SECONDS", 0.1)
    server.slow["/hook"] = 4.0
    began = time.monotonic()
    async with channels(settings(server)) as told:
        await told.tell([alert()], [])
        await told.tell([other()], [])
        assert time.monotonic() - began < 3.5
        await eventually(lambda: paths(server).count("/slack") == 2)
        assert at_hook(server) == ["a" * 32]


async def test_what_comes_while_an_older_version_is_under_way_is_sent_too(
    server: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipeline.roles.watch.delivery.channels._PATIENCE_SECONDS", 0.05)
    server.slow["/hook"] = 0.3
    async with channels(settings(server)) as told:
        await told.tell([alert()], [])
        await told.tell([resolved()], [])
        await asyncio.sleep(0.6)
        await told.tell([], [])
        await eventually(lambda: len(at_hook(server)) == 2)
    states = [e.said["data"]["state"] for e in server.posted if e.path == "/hook"]
    assert states == ["firing", "resolved"]


async def test_nobody_there_is_tried_again_and_then_there_is_somebody(server: Receiver) -> None:
    [later] = free_ports(1)
    away = settings(
        server,
        watch_webhook_url=f"http://127.0.0.1:{later}/hook",
        watch_alertmanager_url=f"http://127.0.0.1:{later}",
        watch_smtp_url=f"smtp://127.0.0.1:{later}",
        watch_mail_from="shop@s.example",
        watch_mail_to=["on@call.example"],
    )
    async with channels(away) as told:
        await told.tell([alert(), other()], [alert(), other()])
        assert paths(server) == ["/slack", "/slack"]
        async with receiver(later) as back:
            await told.tell([], [alert(), other()])
            assert at_hook(back) == ["a" * 32, "b" * 32]
            assert paths(back).count("/api/v2/alerts") == 1


async def test_a_password_goes_only_over_an_encrypted_connection(mail: MailServer) -> None:
    """To a server without STARTTLS nothing is said."""
    url = mail.url.replace("//", "//user:password@")
    written = for_mail(alert(), "shop@s.example", ["on@call.example"])
    with pytest.raises(smtplib.SMTPNotSupportedError, match="STARTTLS"):
        await asyncio.to_thread(send_mail, url, written)
    assert mail.mails == []


async def test_a_test_message_goes_to_every_channel_once(
    server: Receiver, mail: MailServer
) -> None:
    everywhere = settings(
        server,
        watch_alertmanager_url=server.url(""),
        watch_smtp_url=mail.url,
        watch_mail_from="shop@s.example",
        watch_mail_to=["on@call.example"],
    )
    outcomes = await send_test(everywhere)
    assert outcomes == {"webhook": "", "slack": "", "mail": "", "alertmanager": ""}
    assert sorted(paths(server)) == ["/api/v2/alerts", "/hook", "/slack"]
    [hook] = [each.said for each in server.posted if each.path == "/hook"]
    assert (hook["data"]["kind"], hook["data"]["title"][:12]) == ("test", "Test message")
    [sent] = next(each.said for each in server.posted if each.path == "/api/v2/alerts")
    assert sent["labels"]["alertname"] == "TestMessage"
    lasts = datetime.fromisoformat(sent["endsAt"]) - datetime.fromisoformat(sent["startsAt"])
    assert timedelta(minutes=4) < lasts < timedelta(minutes=6)
    assert len(mail.mails) == 1


async def test_a_test_message_says_which_channel_does_not_take_it_and_no_address(
    server: Receiver,
) -> None:
    [nobody] = free_ports(1)
    server.answers["/slack"] = [403]
    away = settings(server, watch_webhook_url=f"http://127.0.0.1:{nobody}/secret")
    assert await send_test(away) == {
        "webhook": "ClientConnectorError",
        "slack": "answered 403",
    }


def test_the_command_says_what_came_of_its_test_message(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    ran = CliRunner().invoke(main, ["watch", "--test-message"])
    assert (ran.exit_code, "alerts are sent nowhere" in ran.stderr) == (1, True)
    [nobody] = free_ports(1)
    monkeypatch.setenv("TOUCHSTREAM_WATCH_ALERTMANAGER_URL", f"http://127.0.0.1:{nobody}")
    ran = CliRunner().invoke(main, ["watch", "--test-message"])
    assert (ran.exit_code, ran.stdout) == (1, "alertmanager: ClientConnectorError\n")


@pytest.mark.parametrize("moment", ["2025-01-02", "2025-01-02T00:00", "2025-01-02T01:00+01:00"])
def test_a_backtest_takes_every_time_of_iso_8601(moment: str) -> None:
    assert MOMENT.convert(moment, None, None) == datetime(2025, 1, 2, tzinfo=UTC)
    with pytest.raises(click.BadParameter, match="write 2026-03-01"):
        MOMENT.convert(f"{moment}!", None, None)
