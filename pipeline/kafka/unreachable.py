"""What is said of a Kafka that does not answer or refuses: one sentence of ours, none before it."""

import logging
import ssl
from collections.abc import Iterator
from contextlib import contextmanager

from aiokafka.errors import (
    AuthenticationFailedError,
    GroupAuthorizationFailedError,
    KafkaConnectionError,
    KafkaError,
    NodeNotReadyError,
    SaslAuthenticationFailed,
    TopicAuthorizationFailedError,
    UnknownError,
    UnsupportedSaslMechanismError,
)

from pipeline.kafka.access import NoToken, who
from pipeline.settings import Settings
from schemas.errors import Unavailable

_BAD_LOGIN = (AuthenticationFailedError, SaslAuthenticationFailed, UnsupportedSaslMechanismError)


class Forbidden(Unavailable):
    """The login lacks a right at Kafka; the text says which."""


def why_not(settings: Settings, error: KafkaError | TimeoutError) -> str:
    """Say what Kafka does not do, and what to do."""
    where = settings.kafka_bootstrap_servers
    match error:
        case KafkaConnectionError():
            return _why_no_answer(settings, error.__cause__)
        case TopicAuthorizationFailedError() | GroupAuthorizationFailedError():
            kind = "topic" if isinstance(error, TopicAuthorizationFailedError) else "group"
            return (
                f"Kafka at {where} refuses {who(settings)} the {kind} {_names(error)}: it needs "
                "a right there; docs/kafka.md lists the rights of each role"
            )
        case NodeNotReadyError() | TimeoutError() if settings.kafka_sasl == "OAUTHBEARER":
            return _bad_login(settings, "it does not accept the token")
        case UnknownError() if settings.kafka_idempotence:
            return (
                f"Kafka at {where} does not say why it refuses; if it is the broker in memory of "
                "`touchstream up`, set TOUCHSTREAM_KAFKA_IDEMPOTENCE=false, as it knows no other"
            )
        case TimeoutError():
            return f"Kafka at {where} does not answer in {settings.kafka_request_timeout}"
    return f"Kafka at {where} does not do it: {error}"


def _why_no_answer(settings: Settings, cause: BaseException | None) -> str:
    where = settings.kafka_bootstrap_servers
    match cause:
        case NoToken():
            return f"there is no login at Kafka: {cause.args[0]}"
        case _ if isinstance(cause, _BAD_LOGIN):
            return _bad_login(settings, str(cause))
        case ssl.SSLError():
            return (
                f"there is no TLS connection with Kafka at {where}: {cause}. Check "
                "TOUCHSTREAM_KAFKA_TLS, _CA_FILE and _CERTIFICATE_FILE"
            )
    return (
        f"no Kafka broker answers at {where}: start it (`touchstream up` brings one), or set "
        "TOUCHSTREAM_KAFKA_BOOTSTRAP_SERVERS to where it is; the embedded one also needs "
        f"TOUCHSTREAM_KAFKA_IDEMPOTENCE=false{_hint(settings)}"
    )


def _bad_login(settings: Settings, why: str) -> str:
    return (
        f"Kafka at {settings.kafka_bootstrap_servers} refuses the login of {who(settings)}: {why}. "
        "Check TOUCHSTREAM_KAFKA_SASL, _USER and _PASSWORD, or the token"
    )


def _hint(settings: Settings) -> str:
    if not settings.kafka_tls:
        return "; if it wants TLS, set TOUCHSTREAM_KAFKA_TLS=true"
    if not (settings.kafka_certificate_file or settings.kafka_sasl):
        return "; if it wants a client's certificate, set TOUCHSTREAM_KAFKA_CERTIFICATE_FILE"
    return ""


def _names(error: KafkaError) -> str:
    """Give the topics or the group that aiokafka's error holds: a text, or a set of them."""
    [found] = error.args or ("",)
    if isinstance(found, str):
        return found.removeprefix("Unable to get coordinator id for ")
    return ", ".join(sorted(found))


@contextmanager
def unheard() -> Iterator[None]:
    """Keep from the log what aiokafka says while a client starts, and say it in the error's cause.

    aiokafka logs why a connection fails and raises that none could be made.
    """
    heard: list[BaseException] = []

    def note(record: logging.LogRecord) -> bool:
        causes = record.args if isinstance(record.args, tuple) else ()
        heard.extend(cause for cause in causes if isinstance(cause, BaseException))
        return False

    loggers = [logging.getLogger(name) for name in ("aiokafka", "aiokafka.conn")]
    for logger in loggers:
        logger.addFilter(note)
    try:
        yield
    except KafkaConnectionError as error:
        raise error from (heard[-1] if heard else None)
    finally:
        for logger in loggers:
            logger.removeFilter(note)


@contextmanager
def allowed(settings: Settings) -> Iterator[None]:
    """Turn a right that is lacking inside the block into Forbidden."""
    try:
        yield
    except (TopicAuthorizationFailedError, GroupAuthorizationFailedError) as error:
        raise Forbidden(why_not(settings, error)) from error
