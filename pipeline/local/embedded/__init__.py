"""Kafka and ClickHouse for one machine, without servers: broker and engine come from wheels."""

from schemas.errors import Unavailable


class EmbeddedError(Unavailable):
    """The embedded stack cannot do what was asked; the text says what to do about it."""
