"""Faust logs in at Kafka as every other client does."""

from typing import Any

import pytest
from faust.auth import OAuthCredentials, SASLCredentials, SSLCredentials

from pipeline.settings import Settings
from pipeline.tracker.credentials import credentials

LOGIN: dict[str, Any] = {"kafka_user": "tracker", "kafka_password": "secret"}
TOKEN: dict[str, Any] = {"kafka_sasl": "OAUTHBEARER", "kafka_token_file": "token"}


def test_without_a_login_or_tls_there_is_nothing_to_show() -> None:
    assert credentials(Settings()) is None


def test_tls_alone_has_no_login() -> None:
    assert isinstance(credentials(Settings(kafka_tls=True)), SSLCredentials)


@pytest.mark.parametrize(("is_secret", "protocol"), [(False, "SASL_PLAINTEXT"), (True, "SASL_SSL")])
@pytest.mark.parametrize("mechanism", ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"])
def test_a_user_logs_in_by_its_mechanism(mechanism: Any, protocol: str, is_secret: bool) -> None:
    found = credentials(Settings(kafka_sasl=mechanism, kafka_tls=is_secret, **LOGIN))
    assert isinstance(found, SASLCredentials)
    assert (found.username, found.password) == ("tracker", "secret")
    assert (found.mechanism.value, found.protocol.value) == (mechanism, protocol)


@pytest.mark.parametrize(("is_secret", "protocol"), [(False, "SASL_PLAINTEXT"), (True, "SASL_SSL")])
def test_a_token_logs_in_too(is_secret: bool, protocol: str) -> None:
    found = credentials(Settings(kafka_tls=is_secret, **TOKEN))
    assert isinstance(found, OAuthCredentials)
    assert found.protocol.value == protocol
