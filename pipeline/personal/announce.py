"""Write erasures into the log, and read them. Shell.

The trackers forget when they read an erasure. Rows that are on their way, or come back by a replay,
are void by their offset in the log: `pipeline.personal.delete` deletes them.
"""

from collections.abc import Callable
from datetime import datetime

from aiokafka.errors import KafkaError

from pipeline.journey.messages import Erasure, encode_message
from pipeline.kafka import clients
from pipeline.kafka.lag import is_all_read
from pipeline.kafka.producer import NotAcknowledged
from pipeline.kafka.topics import read_topic
from pipeline.personal.erasures import Erased, Erasures
from pipeline.personal.find import Named
from pipeline.settings import Settings
from schemas.errors import TouchstreamError
from schemas.times import milliseconds
from schemas.topics import RAW


class ForgetFailed(TouchstreamError):
    """Kafka failed; the text says what to do."""


async def write_erasure(settings: Settings, named: Named, now: Callable[[], datetime]) -> None:
    """Write an erasure of `named` into all partitions of the log: to all, and then to all again.

    Raises:
        ForgetFailed: Kafka did not accept all of it. It can be repeated.
    """
    at = milliseconds(now())
    try:
        async with clients.producer(settings, RAW.name) as producer:
            for is_final in (False, True):
                value = encode_message(Erasure(named.site, list(named.names), at, is_final))
                row = (None, value, milliseconds(now()))
                numbers = range(producer.partitions(RAW.name))
                await producer.send_all({(RAW.name, number): [row] for number in numbers})
    except (NotAcknowledged, KafkaError) as error:
        raise ForgetFailed(f"nothing was erased, Kafka did not accept it: {error}") from error


async def read_erasures(settings: Settings, since: datetime | None = None) -> list[Erased]:
    """Read all erasures that the log still has, or those `since`.

    Raises:
        TopicsFailed: no broker answers.
    """
    erasures = Erasures()
    async for record in read_topic(settings, RAW.name, since=since):
        erasures.hear(record.partition, record)
    return erasures.all()


async def until_read(settings: Settings, patience_seconds: float) -> bool:
    """Wait until tracker and sink have read the log up to now; False if they do not.

    Raises:
        ForgetFailed: no broker answers.
    """
    try:
        return await is_all_read(settings, patience_seconds)
    except KafkaError as error:
        raise ForgetFailed(
            f"Kafka does not report how far the tracker is ({error}): run `touchstream erase "
            "--again` later"
        ) from error
