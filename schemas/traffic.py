"""The content of a list of traffic sources. Floor 1: imports nothing of ours but the fields.

The shipped list is `schemas/traffic/sources.toml`; its head explains the entries. Files of the same
shape extend it; a source that they name again is replaced.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Any, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from schemas.errors import Unusable
from schemas.fields import Channel, Name
from schemas.toml import NotToml, parsed_toml

SHIPPED = Path(__file__).parent / "traffic" / "sources.toml"
SPAMMERS = SHIPPED.with_name("spammers.txt")
"""Hosts that send fake visits to appear in reports: github.com/matomo-org/referrer-spam-list, which
is in the public domain."""

Kind = Literal["search", "social", "video", "shopping", "ai", "mail", "excluded"]
"""The kind of a source; `excluded` brings no visits: a payment provider, or one's own domain."""

KINDS: tuple[Kind, ...] = get_args(Kind)
Entries = dict[Name, tuple[Name, ...]]


class Origin(BaseModel):
    """Source and medium that a click id or a channel stands for."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    source: Name
    medium: Name


class TrafficSources(BaseModel):
    """Sources by kind, each with its hosts and spellings; click ids and channels."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    search: Entries = Field(default_factory=dict)
    social: Entries = Field(default_factory=dict)
    video: Entries = Field(default_factory=dict)
    shopping: Entries = Field(default_factory=dict)
    ai: Entries = Field(default_factory=dict)
    mail: Entries = Field(default_factory=dict)
    excluded: Entries = Field(default_factory=dict)
    spammers: tuple[Name, ...] = ()
    click_ids: dict[Name, Origin] = Field(default_factory=dict)
    channels: dict[Channel, Origin] = Field(default_factory=dict)

    def entries(self, kind: Kind) -> Entries:
        """Return the sources of one kind."""
        entries: Entries = getattr(self, kind)
        return entries

    @model_validator(mode="after")
    def _nothing_stands_for_two(self) -> "TrafficSources":
        owner: dict[str, str] = {}
        for kind in KINDS:
            for name, spellings in self.entries(kind).items():
                for spelling in {name, *spellings}:
                    if spelling != spelling.lower():
                        raise ValueError(f"{kind}.{name}: write {spelling!r} in lower case")
                    if owner.setdefault(spelling, f"{kind}.{name}") != f"{kind}.{name}":
                        raise ValueError(
                            f"{spelling!r} belongs to both {owner[spelling]} and {kind}.{name}"
                        )
        return self


class BadSources(Unusable, ValueError):
    """An invalid list of sources; the text names file, entry and reason."""


def load_sources(more: Iterable[Path] = ()) -> TrafficSources:
    """Read the shipped list, then the files `more`, each of which extends those before it.

    Raises:
        BadSources: no such file, not TOML, or against the rules of `TrafficSources`.
    """
    merged: dict[str, Any] = {"spammers": _spammers()}
    found = TrafficSources()
    for path in (SHIPPED, *more):
        for section, entries in _read(path).items():
            merged[section] = _joined(merged.get(section), entries)
        try:
            found = TrafficSources.model_validate(merged)
        except ValidationError as error:
            raise BadSources(f"{path}: {_complaint(error)}") from error
    return found


def _joined(known: Any, more: Any) -> Any:
    if isinstance(more, dict):
        return {**(known or {}), **more}
    return [*known, *more] if isinstance(known, list) and isinstance(more, list) else more


def _spammers() -> list[str]:
    return SPAMMERS.read_text(encoding="utf-8").split()


def _read(path: Path) -> dict[str, Any]:
    try:
        return parsed_toml(path.read_bytes())
    except OSError as error:
        raise BadSources(f"{path}: not a readable file") from error
    except NotToml as error:
        raise BadSources(f"{path}: {error}") from error


def _complaint(error: ValidationError) -> str:
    first = error.errors()[0]
    where = ".".join(str(part) for part in first["loc"])
    return ": ".join(filter(None, (where, first["msg"].removeprefix("Value error, "))))
