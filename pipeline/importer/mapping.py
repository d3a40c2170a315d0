"""Mapping files: what each column of a foreign file means. PURE: reads no files.

A mapping is data (TOML); `docs/import.md` explains it by examples, `rows` goes by it.
"""

import re
from codecs import lookup
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Annotated, Any, Literal, NamedTuple
from zoneinfo import ZoneInfo

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    model_validator,
)

from pipeline.values.texts import heading
from schemas.errors import Unusable
from schemas.fields import Channel, Name, Placeholder
from schemas.toml import NotToml, parsed_toml
from schemas.touchpoint import TouchpointType


class BadMapping(Unusable, ValueError):
    """An invalid mapping; the text names file, key and reason."""


def _listed(value: object) -> object:
    return [value] if isinstance(value, str) else value


def _format(value: str) -> str:
    if value not in {"iso", "epoch_s", "epoch_ms", "epoch_us"} and "%" not in value:
        raise ValueError(
            'must be "iso", "epoch_s", "epoch_ms", "epoch_us" or a pattern: "%d.%m.%Y %H:%M"'
        )
    try:
        datetime.strptime("", value)  # noqa: DTZ007 - only whether it is a pattern
    except re.error:
        raise ValueError("no pattern: it says a part of the time twice") from None
    except ValueError as error:
        if "does not match" not in str(error):
            raise ValueError(f"no pattern: {error}") from None
    return value


def _formats(values: tuple[str, ...]) -> tuple[str, ...]:
    if not values:
        raise ValueError("name at least one")
    return tuple(map(_format, values))


def _delimiter(value: str | None) -> str | None:
    if value is not None and value in '\r\n"':
        raise ValueError("must be one character that is neither a quote nor a line break")
    return value


def _encoding(value: str) -> str:
    try:
        "".encode(lookup(value).name)
    except LookupError:
        raise ValueError(f'no encoding {value!r}; write one such as "cp1252"') from None
    return value


def _zone(value: str) -> str:
    try:
        ZoneInfo(value)
    except (KeyError, ValueError, OSError):
        raise ValueError(f'no time zone {value!r}; write one such as "Europe/Berlin"') from None
    return value


Heading = Annotated[str, AfterValidator(heading)]
"""The name of a column, as it is compared."""

Columns = Annotated[tuple[Heading, ...], BeforeValidator(_listed)]
"""Columns that may contain a field: the first that is in the row and not empty wins."""


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class FileFormat(_Part):
    """How the files are written; without `kind`, the file's name decides; without
    `delimiter`, its first line.

    `decimal` is the mark before the cents; without it, an ambiguous number is left as it is.
    """

    kind: Literal["csv", "jsonl", "parquet"] | None = None
    delimiter: Annotated[
        str | None, Field(min_length=1, max_length=1), AfterValidator(_delimiter)
    ] = None
    encoding: Annotated[str, AfterValidator(_encoding)] = "utf-8"
    decimal: Literal[".", ","] | None = None


class ColumnMap(_Part):
    """Which column contains which field of a touchpoint."""

    occurred_at: Columns
    name: Columns = ()
    touchpoint_id: Columns = ()
    anonymous_id: Columns = ()
    user_id: Columns = ()
    previous_id: Columns = ()
    url: Columns = ()
    title: Columns = ()
    referrer: Columns = ()
    user_agent: Columns = ()
    locale: Columns = ()
    sequence: Columns = ()


class TimeFormat(_Part):
    """How times are written, in one way or several, and the zone of times without one."""

    format: Annotated[tuple[str, ...], BeforeValidator(_listed), AfterValidator(_formats)] = (
        "iso",
    )
    zone: Annotated[str, AfterValidator(_zone)] = "UTC"


class EventRule(_Part):
    """The meaning of rows whose name is `from`, whose URL's path begins with `path_prefix`, and
    that match `where`: a text for each column or key.
    """

    source: str | None = Field(default=None, alias="from")
    path_prefix: str = ""
    where: dict[Heading, str] = Field(default_factory=dict)
    name: Name
    type: TouchpointType = "track"
    channel: Channel | None = None
    properties: dict[str, Any] = Field(default_factory=dict)

    def matches(self, name: str, path: str, text: Callable[[str], str]) -> bool:
        """Tell whether a row of this name and path meets the rule; `text` gives its cells."""
        return (
            self.source in {None, name}
            and path.startswith(self.path_prefix)
            and all(text(column) == wanted for column, wanted in self.where.items())
        )


class Join(_Part):
    """A file next to the imported one, with more columns for the rows with the same key."""

    file: str
    on: Heading
    key: Heading = ""


class Mapping(_Part):
    """A mapping file."""

    channel: Channel
    file: FileFormat = FileFormat()
    columns: ColumnMap
    prefix: dict[Literal["anonymous_id", "user_id"], str] = Field(default_factory=dict)
    time: TimeFormat = TimeFormat()
    events: tuple[EventRule, ...] = ()
    join: tuple[Join, ...] = ()
    json_columns: Columns = ()
    numbers: Columns = ()
    leave_out: Columns = ()
    properties: dict[Heading, Name] = Field(default_factory=dict)
    products: dict[Heading, Name] = Field(default_factory=dict)
    constants: dict[str, Any] = Field(default_factory=dict)
    placeholders: frozenset[Placeholder] = frozenset()
    real_ids: frozenset[str] = frozenset()

    def with_placeholders(self, words: Iterable[str]) -> "Mapping":
        """Give the same mapping with `words` as further placeholders."""
        return self.model_copy(update={"placeholders": self.placeholders.union(words)})

    @model_validator(mode="after")
    def _complete(self) -> "Mapping":
        if not (self.columns.anonymous_id or self.columns.user_id):
            raise ValueError("columns: name a column for anonymous_id, user_id or both")
        if not (self.columns.name or any(rule.source is None for rule in self.events)):
            raise ValueError("columns.name: name a column, or write an event rule without `from`")
        if not self.columns.url and any(rule.path_prefix for rule in self.events):
            raise ValueError("columns.url: path_prefix needs a column with the URL")
        return self


def parse_mapping(written: str | bytes, name: str) -> Mapping:
    """Read the mapping file `name` with the content `written`.

    Raises:
        BadMapping: not TOML, or a key that is missing, unknown or wrong.
    """
    try:
        raw = written.encode() if isinstance(written, str) else written
        return Mapping.model_validate(parsed_toml(raw))
    except NotToml as error:
        raise BadMapping(f"{name}: {error}") from None
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        reason = first["msg"].removeprefix("Value error, ")
        raise BadMapping(": ".join(filter(None, (name, where, reason)))) from None


class Wanted(NamedTuple):
    """What a mapping names: one of `names` must stand in some row, else it is told as `key`."""

    key: str
    names: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.key}: {' or '.join(self.names)}"


def wanted_names(mapping: Mapping) -> list[Wanted]:
    """Name the columns and keys that the mapping names; of several for one field one will do."""
    listed = {
        "json_columns": mapping.json_columns,
        "numbers": mapping.numbers,
        "leave_out": mapping.leave_out,
        "properties": mapping.properties,
        "products": mapping.products,
        "events.where": [name for rule in mapping.events for name in rule.where],
        "join.on": [join.on for join in mapping.join],
    }
    fields = [Wanted(f"columns.{name}", names) for name, names in mapping.columns if names]
    return fields + [Wanted(key, (name,)) for key, names in listed.items() for name in names]
