"""Mapping files: what each column of a foreign file means. PURE: reads no files.

A mapping is data (TOML); `docs/import.md` explains it by examples, `rows` goes by it.
"""

import tomllib
from collections.abc import Callable, Collection, Iterable
from typing import Annotated, Any, Literal
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

from schemas.errors import Unusable
from schemas.fields import Channel, Name, Placeholder
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
    return value


def _zone(value: str) -> str:
    try:
        ZoneInfo(value)
    except (KeyError, ValueError, OSError):
        raise ValueError(f'no time zone {value!r}; write one such as "Europe/Berlin"') from None
    return value


Columns = Annotated[tuple[str, ...], BeforeValidator(_listed)]
"""Columns that may contain a field: the first that is in the row and not empty wins."""


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class FileFormat(_Part):
    """How the files are written; without `kind`, the file's name decides.

    `decimal` is the mark before the cents; without it, an ambiguous number is left as it is.
    """

    kind: Literal["csv", "jsonl", "parquet"] | None = None
    delimiter: Annotated[str, Field(min_length=1, max_length=1)] = ","
    encoding: str = "utf-8"
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
    """How times are written, and the zone of times without one."""

    format: Annotated[str, AfterValidator(_format)] = "iso"
    zone: Annotated[str, AfterValidator(_zone)] = "UTC"


class EventRule(_Part):
    """The meaning of rows whose name is `from`, whose URL's path begins with `path_prefix`, and
    that match `where`: a text for each column or key.
    """

    source: str | None = Field(default=None, alias="from")
    path_prefix: str = ""
    where: dict[str, str] = Field(default_factory=dict)
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
    on: str
    key: str = ""


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
    properties: dict[str, Name] = Field(default_factory=dict)
    products: dict[str, Name] = Field(default_factory=dict)
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


def parse_mapping(text: str, name: str) -> Mapping:
    """Read the mapping file `name` with the content `text`.

    Raises:
        BadMapping: not TOML, or a key that is missing, unknown or wrong.
    """
    try:
        return Mapping.model_validate(tomllib.loads(text))
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise BadMapping(f"{name}: not TOML: {error}") from None
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        reason = first["msg"].removeprefix("Value error, ")
        raise BadMapping(": ".join(filter(None, (name, where, reason)))) from None


def unknown_names(mapping: Mapping, seen: Collection[str]) -> list[str]:
    """List the columns of the mapping that none of the rows (`seen`) has.

    If a field can come from several columns, one is enough. Possible keys inside JSON are not
    listed.
    """
    fields = [(f"columns.{name}", names) for name, names in mapping.columns if names]
    lists = [("json_columns", mapping.json_columns), ("leave_out", mapping.leave_out)]
    fields += [(key, (name,)) for key, names in lists for name in names]
    if not mapping.json_columns:
        fields += [("numbers", (name,)) for name in mapping.numbers]
        fields += [("properties", (name,)) for name in mapping.properties]
    inside = bool(mapping.json_columns)
    return [
        f"{key}: {' or '.join(names)}"
        for key, names in fields
        if not any(
            name.split(".")[0] in seen or name in seen or (inside and key.startswith("columns."))
            for name in names
        )
    ]
