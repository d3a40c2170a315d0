"""The rules file of the watch. Floor 1.

`schemas/watch/default.toml` is the shipped one. docs/alerts.md explains how to write one.
"""

from datetime import datetime
from pathlib import Path
from typing import Annotated, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from schemas.toml import NotToml, parsed_toml

SHIPPED = Path(__file__).parent / "watch/default.toml"

Kind = Literal["conversion", "volume", "abandonment", "errors", "silence"]
Dimension = Literal["channel", "device", "browser", "source", "page", "campaign"]


class BadWatchRules(Exception):
    """The rules of the watch are invalid; the text says what is wrong, and where."""


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise ValueError(f"there is no time zone {name!r}") from error
    return name


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Period(_Part):
    """A special time; alerts during it say so.

    While closed or on a holiday, missing people raise no alert. In all three kinds, conversions
    have a wider margin.
    """

    name: str = Field(min_length=1, max_length=100)
    kind: Literal["holiday", "campaign", "closed"]
    start: AwareDatetime
    end: AwareDatetime
    sites: frozenset[str] = frozenset()

    def covers(self, site: str, at: datetime) -> bool:
        """Tell whether it applies to `site` at this time; without `sites`, it applies to all."""
        return self.start <= at < self.end and (not self.sites or site in self.sites)


class Question(_Part):
    """What is watched: a kind, and for which steps, channels or errors (`of`; empty: all).

    An alert needs at least `people` too few, or too many, and a change of at least `change`.
    """

    kind: Kind
    of: frozenset[str] = frozenset()
    people: float = Field(5, gt=0)
    change: float = Field(0.1, gt=0, le=1)
    severity: Literal["page", "ticket"] = "page"


class WatchRules(_Part):
    """How often a false alert may come, which slices are distinguished, and what is watched."""

    false_alert_every_days: float = Field(10, gt=0)
    time_zone: Annotated[str, AfterValidator(_zone)] = "UTC"
    learn_days: int = Field(28, ge=1, le=90)
    slices: tuple[Dimension, ...] = (
        *("channel", "device", "browser"),
        *("source", "page", "campaign"),
    )
    values_of_a_slice: int = Field(8, ge=1, le=50)
    errors: tuple[str, ...] = ("Script Error", "Payment Failed")
    questions: tuple[Question, ...]
    calendar: tuple[Period, ...] = ()


def load_rules(path: Path | None) -> WatchRules:
    """Read a rules file; without `path`, the shipped one.

    Raises:
        BadWatchRules: the file cannot be read, or its content is invalid.
    """
    chosen = path or SHIPPED
    try:
        return WatchRules.model_validate(parsed_toml(chosen.read_bytes()))
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        raise BadWatchRules(f"{chosen}: {place}: {first['msg']}") from error
    except (OSError, NotToml) as error:
        raise BadWatchRules(f"{chosen}: {error}") from error
