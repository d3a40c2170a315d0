"""How a client reaches Kafka: addresses, TLS and login, for every client of ours. Shell.

Certificates and keys are read when a client is opened, tokens for each of its connections.
"""

import asyncio
import json
import ssl
import subprocess
import time
from base64 import urlsafe_b64decode
from pathlib import Path
from typing import Any

from aiokafka.abc import AbstractTokenProvider
from aiokafka.errors import KafkaError
from aiokafka.helpers import create_ssl_context

from pipeline.settings import BadSettings, Settings
from schemas.times import instant

_COMMAND_SECONDS = 20


class NoToken(KafkaError):  # type: ignore[misc]
    """There is no token to log in with; the text says why."""


def access(settings: Settings) -> dict[str, Any]:
    """Give what every aiokafka client needs to reach the Kafka of `settings`.

    Raises:
        BadSettings: a certificate or key cannot be used.
    """
    return {"bootstrap_servers": settings.kafka_bootstrap_servers, **security(settings)}


def security(settings: Settings) -> dict[str, Any]:
    """Give the options of aiokafka for TLS and login; BadSettings as `access`."""
    options: dict[str, Any] = {"security_protocol": _protocol(settings)}
    if settings.kafka_tls:
        options["ssl_context"] = _tls(settings)
    if settings.kafka_sasl == "OAUTHBEARER":
        options["sasl_mechanism"] = settings.kafka_sasl
        options["sasl_oauth_token_provider"] = Tokens(settings)
    elif settings.kafka_sasl:
        options["sasl_mechanism"] = settings.kafka_sasl
        options["sasl_plain_username"] = settings.kafka_user
        options["sasl_plain_password"] = settings.kafka_password.get_secret_value()
    return options


def who(settings: Settings) -> str:
    """Say as whom we log in, for an error."""
    if settings.kafka_user:
        return f"the user {settings.kafka_user}"
    if settings.kafka_sasl:
        return "the owner of the token"
    return "the owner of the certificate" if settings.kafka_certificate_file else "anonymous"


class Tokens(AbstractTokenProvider):  # type: ignore[misc]
    """Gives aiokafka a token for each new connection, from a file or a command."""

    def __init__(self, settings: Settings) -> None:
        self._file = settings.kafka_token_file
        self._command = settings.kafka_token_command

    async def token(self) -> str:
        """Give the token; NoToken if there is none."""
        said = await asyncio.to_thread(self._said)
        if not (token := _token_in(said.strip())):
            raise NoToken(f"{self._source} gives no token")
        if (ended := _end_of(token)) and ended < time.time():
            raise NoToken(f"the token of {self._source} expired at {instant(int(ended * 1000))}")
        return token

    @property
    def _source(self) -> str:
        if self._file:
            return f"TOUCHSTREAM_KAFKA_TOKEN_FILE {self._file}"
        return f"TOUCHSTREAM_KAFKA_TOKEN_COMMAND {self._command[0]}"

    def _said(self) -> str:
        try:
            if self._file:
                return self._file.read_text()
            done = subprocess.run(  # noqa: S603 - the user's own command
                self._command, capture_output=True, text=True, timeout=_COMMAND_SECONDS, check=True
            )
        except subprocess.CalledProcessError as error:
            raise NoToken(f"{self._source} ended with {error.returncode}: {error.stderr}") from None
        except subprocess.TimeoutExpired:
            raise NoToken(f"{self._source} takes more than {_COMMAND_SECONDS} s") from None
        except (OSError, UnicodeDecodeError) as error:
            raise NoToken(f"{self._source}: {error}") from None
        return done.stdout


def _token_in(said: str) -> str:
    if not said.startswith("{"):
        return said
    try:
        return str(json.loads(said).get("access_token", ""))
    except json.JSONDecodeError:
        return ""


def _end_of(token: str) -> float | None:
    """Give the `exp` of a JSON Web Token (RFC 7519) in seconds; None of any other token."""
    try:
        claims = urlsafe_b64decode(token.split(".")[1] + "==")
        return float(json.loads(claims)["exp"])
    except (IndexError, KeyError, TypeError, ValueError):
        return None


def _protocol(settings: Settings) -> str:
    transport = "SSL" if settings.kafka_tls else "PLAINTEXT"
    return f"SASL_{transport}" if settings.kafka_sasl else transport


def _tls(settings: Settings) -> ssl.SSLContext:
    ca, certificate = settings.kafka_ca_file, settings.kafka_certificate_file
    key = settings.kafka_key_file
    for name, path in (("CA", ca), ("CERTIFICATE", certificate), ("KEY", key)):
        _readable(f"TOUCHSTREAM_KAFKA_{name}_FILE", path)
    try:
        context: ssl.SSLContext = create_ssl_context(cafile=ca)
    except ssl.SSLError as error:
        raise BadSettings(
            f"TOUCHSTREAM_KAFKA_CA_FILE: {ca} holds no certificate: {error}"
        ) from None
    if certificate:
        # A password that is not needed is not asked for; a missing one must not be asked of people.
        password = settings.kafka_key_password.get_secret_value()
        try:
            context.load_cert_chain(certificate, key, lambda: password)
        except (ssl.SSLError, ValueError) as error:
            raise BadSettings(
                "TOUCHSTREAM_KAFKA_CERTIFICATE_FILE, _KEY_FILE and _KEY_PASSWORD do not fit "
                f"together: {error}"
            ) from None
    return context


def _readable(name: str, path: Path | None) -> None:
    try:
        if path:
            path.open("rb").close()
    except OSError as error:
        raise BadSettings(f"{name}: {path} cannot be read: {error.strerror}") from None
