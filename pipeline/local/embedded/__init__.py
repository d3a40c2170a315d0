"""Kafka and ClickHouse for one machine, without servers: a broker and an engine from wheels."""

from schemas.errors import Unavailable


class EmbeddedError(Unavailable):
    """The embedded stack cannot do what was asked; the text says what to do about it."""
