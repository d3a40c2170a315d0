"""What is said of a Kafka that does not answer: one sentence of ours, and nothing before it."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from aiokafka.errors import KafkaConnectionError, KafkaError

from pipeline.settings import Settings


def why_not(settings: Settings, error: KafkaError) -> str:
    """Say what Kafka does not do, and what to do."""
    where = settings.kafka_bootstrap_servers
    if isinstance(error, KafkaConnectionError):
        return (
            f"no Kafka broker answers at {where}: start it (`touchstream up` brings one), or set "
            "TOUCHSTREAM_KAFKA_BOOTSTRAP_SERVERS to where it is; the embedded one also needs "
            "TOUCHSTREAM_KAFKA_IDEMPOTENCE=false"
        )
    return f"Kafka at {where} does not do it: {error}"


@contextmanager
def unheard() -> Iterator[None]:
    """Keep from the log what aiokafka says while a client starts: its error says the same."""
    loggers = [logging.getLogger(name) for name in ("aiokafka", "aiokafka.conn")]
    for logger in loggers:
        logger.addFilter(_nothing)
    try:
        yield
    finally:
        for logger in loggers:
            logger.removeFilter(_nothing)


def _nothing(_record: logging.LogRecord) -> bool:
    return False
