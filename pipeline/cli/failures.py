"""Turn outside failures into errors that say what to do. Imported only when one happens."""

from aiokafka.errors import KafkaError
from clickhouse_connect.driver.exceptions import ClickHouseError, OperationalError

from schemas.errors import TouchstreamError, Unavailable, Unusable

_NO_SUCH_TABLE = frozenset({"UNKNOWN_TABLE", "UNKNOWN_FUNCTION", "UNKNOWN_DATABASE"})
"""A question is a parameterised view, which ClickHouse reports as a function."""


def sentence_of(error: BaseException) -> TouchstreamError | None:
    """Give an error meant for people for `error`; None if it is a bug."""
    if isinstance(error, TouchstreamError):
        return error
    if isinstance(error, BaseExceptionGroup):
        return next(filter(None, map(sentence_of, error.exceptions)), None)
    if isinstance(error, ClickHouseError):
        return _of_clickhouse(error)
    if isinstance(error, KafkaError):
        return Unavailable(f"Kafka failed: {error or type(error).__name__}")
    if isinstance(error, OSError) and not isinstance(error, BrokenPipeError):
        return _of_system(error)
    return None


def _of_clickhouse(error: ClickHouseError) -> TouchstreamError:
    name = getattr(error, "name", None)
    if name in _NO_SUCH_TABLE:
        return Unavailable(
            "the database does not have this version's tables yet: run `touchstream migrate`, "
            "or point TOUCHSTREAM_CLICKHOUSE_URL and TOUCHSTREAM_CLICKHOUSE_DATABASE to a "
            "database that has them"
        )
    if isinstance(error, OperationalError) and name is None:
        return Unavailable("ClickHouse has stopped answering: try again when it is back")
    said = str(error).partition("server response: ")[2] or str(error)
    return TouchstreamError(f"ClickHouse refused: {said.partition(' (for url')[0]}")


def _of_system(error: OSError) -> TouchstreamError | None:
    if error.strerror is None:
        return None
    if error.filename is None:
        return TouchstreamError(error.strerror)
    return Unusable(f"{error.filename}: {error.strerror}")
