"""How a client reaches Kafka: what the settings must hold together, and where tokens come from."""

import sys
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from pipeline.kafka.access import NoToken, Tokens, access
from pipeline.settings import BadSettings, Settings, environment_of
from tests.support.secured_kafka import Authority, token

LOGIN: dict[str, Any] = {"kafka_user": "sink", "kafka_password": "secret"}


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (LOGIN, "a login is given"),
        ({"kafka_token_file": "t"}, "a login is given"),
        ({"kafka_sasl": "PLAIN", "kafka_user": "sink"}, "PLAIN needs TOUCHSTREAM_KAFKA_USER"),
        ({"kafka_sasl": "OAUTHBEARER"}, "OAUTHBEARER needs either"),
        (
            {"kafka_sasl": "OAUTHBEARER", "kafka_token_file": "t", "kafka_token_command": ["t"]},
            "OAUTHBEARER needs either",
        ),
        ({"kafka_ca_file": "ca.pem"}, "set TOUCHSTREAM_KAFKA_TLS=true too"),
        ({"kafka_certificate_file": "me.pem"}, "set TOUCHSTREAM_KAFKA_TLS=true too"),
        ({"kafka_tls": True, "kafka_key_file": "k"}, "needs TOUCHSTREAM_KAFKA_CERTIFICATE_FILE"),
    ],
)
def test_half_a_login_is_refused(given: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        Settings(**given)


@pytest.mark.parametrize(
    ("given", "protocol"),
    [
        ({}, "PLAINTEXT"),
        ({"kafka_tls": True}, "SSL"),
        ({"kafka_sasl": "PLAIN", **LOGIN}, "SASL_PLAINTEXT"),
        ({"kafka_sasl": "SCRAM-SHA-512", "kafka_tls": True, **LOGIN}, "SASL_SSL"),
    ],
)
def test_the_protocol_follows_from_tls_and_login(given: dict[str, Any], protocol: str) -> None:
    assert access(Settings(**given))["security_protocol"] == protocol


def test_another_process_gets_the_same_login(monkeypatch: pytest.MonkeyPatch) -> None:
    known = Settings(kafka_sasl="PLAIN", kafka_tls=True, kafka_ca_file=Path("ca.pem"), **LOGIN)
    for name, value in environment_of(known).items():
        monkeypatch.setenv(name, value)
    assert Settings() == known


def test_a_file_that_is_missing_or_wrong_is_named(tmp_path: Path) -> None:
    missing = tmp_path / "missing.pem"
    with pytest.raises(BadSettings, match=r"_CA_FILE: .*missing.pem cannot be read"):
        access(Settings(kafka_tls=True, kafka_ca_file=missing))
    (tmp_path / "text").write_text("no certificate")
    with pytest.raises(BadSettings, match="holds no certificate"):
        access(Settings(kafka_tls=True, kafka_ca_file=tmp_path / "text"))
    with pytest.raises(BadSettings, match="do not fit together"):
        access(Settings(kafka_tls=True, kafka_certificate_file=tmp_path / "text"))


def test_a_missing_key_password_is_told_and_not_asked_for(tmp_path: Path) -> None:
    mine = Authority(tmp_path).certificate("me", password="secret")
    with pytest.raises(BadSettings, match="do not fit together"):
        access(Settings(kafka_tls=True, kafka_certificate_file=mine))
    known = Settings(kafka_tls=True, kafka_certificate_file=mine, kafka_key_password="secret")
    assert access(known)["ssl_context"]


async def test_a_token_is_read_again_for_each_connection(tmp_path: Path) -> None:
    file = tmp_path / "token"
    tokens = Tokens(Settings(kafka_sasl="OAUTHBEARER", kafka_token_file=file))
    for said in ("opaque", token("sink"), '{"access_token": "inner", "expires_in": 60}'):
        file.write_text(f"{said}\n")
        assert await tokens.token() == said.removeprefix('{"access_token": "').split('"')[0]


@pytest.mark.parametrize("said", ["", "{}", '{"access_token":', token("sink", seconds=-1)])
async def test_what_is_no_token_is_not_sent(tmp_path: Path, said: str) -> None:
    (tmp_path / "token").write_text(said)
    tokens = Tokens(Settings(kafka_sasl="OAUTHBEARER", kafka_token_file=tmp_path / "token"))
    with pytest.raises(NoToken, match=r"gives no token|expired at"):
        await tokens.token()


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (["/no/such/command"], "No such file"),
        ([sys.executable, "-c", "raise SystemExit('not today')"], "ended with 1: not today"),
    ],
)
async def test_a_command_that_fails_says_why(command: list[str], said: str) -> None:
    tokens = Tokens(Settings(kafka_sasl="OAUTHBEARER", kafka_token_command=command))
    with pytest.raises(NoToken, match=said):
        await tokens.token()
