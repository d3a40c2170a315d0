"""Kafka and ClickHouse for one machine, without servers: a broker and an engine from wheels."""


class EmbeddedError(Exception):
    """The embedded stack cannot do what was asked; the text says what to do about it."""
