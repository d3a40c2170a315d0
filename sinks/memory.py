"""An in-memory sink, for tests of code that writes to a sink."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

from sinks.sink import RowsRefused, SinkUnavailable


@dataclass
class MemorySink:
    """Keeps rows by table; refuses rows that contain `poison`, and everything while it is down."""

    poison: bytes | None = None
    is_down: bool = False
    tables: dict[str, list[bytes]] = field(default_factory=lambda: defaultdict(list))
    tokens: set[str] = field(default_factory=set)

    async def write(self, table: str, rows: Sequence[bytes], token: str) -> None:
        """Insert `rows`, unless their token was seen before."""
        if self.is_down:
            raise SinkUnavailable("the in-memory sink is down")
        if self.poison is not None and any(self.poison in row for row in rows):
            raise RowsRefused("poison")
        if token not in self.tokens:
            self.tokens.add(token)
            self.tables[table].extend(rows)
