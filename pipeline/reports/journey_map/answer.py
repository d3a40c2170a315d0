"""The journey map of one model: phases × channels, read from ClickHouse. Prints nothing.

It counts as the view `journey_map` does, which cannot be asked for a span of time.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from clickhouse_connect.driver.client import Client

from pipeline.reports.span import IN_SPAN, Span
from schemas.errors import Unusable

# ruff: noqa: S608 - all values are parameters of the server; only our own text is formatted in.

_PHASES = """
SELECT phase, en, de, needs, key_moment, picture, team
FROM journey_models FINAL
WHERE model = {model:String}
ORDER BY rank"""

_CELLS = f"""
SELECT
    phase,
    a_channel AS channel,
    uniqExactIf(person_id, touchpoints > 0) AS people,
    sum(touchpoints) AS total,
    uniqExactIf(person_id, moved_on) AS went_on,
    if(
        count(seconds) = 0, NULL,
        arrayReduce('medianExact', arrayMap(stay -> stay.4, groupUniqArrayIf(
            (person_id, cycle, entered_at, assumeNotNull(seconds)), seconds IS NOT NULL
        )))
    ) AS median_seconds,
    sum(pain_points),
    avg(satisfaction)
FROM journey_map_rows
ARRAY JOIN ['', channel] AS a_channel
WHERE model = {{model:String}}
    AND ({{segment:String}} = '' OR segment = {{segment:String}})
    AND {IN_SPAN.format(time="at")}
GROUP BY phase, a_channel
ORDER BY a_channel = '' DESC, people DESC, a_channel"""


class MapFailed(Unusable):
    """There is no map of this model; the text says what to do."""


@dataclass(frozen=True)
class MapPhase:
    """A column of the map: a phase, its labels, and the canvas notes of its model file."""

    id: str
    en: str
    de: str
    needs: str
    key_moment: str
    picture: str
    team: str


@dataclass(frozen=True)
class MapCell:
    """What happened in a phase on a channel; the empty channel stands for all.

    `went_on` people went on to a later phase. `median_seconds` is how long those stayed who left
    the phase. `satisfaction` is the mean answer from 0 to 100. None: nobody did.
    """

    phase: str
    channel: str
    people: int
    touchpoints: int
    went_on: int
    median_seconds: int | None
    pain_points: int
    satisfaction: float | None


@dataclass(frozen=True)
class JourneyMap:
    """The map of a model, for everybody or one segment, in a span of time."""

    model: str
    segment: str
    span: Span
    phases: tuple[MapPhase, ...]
    cells: tuple[MapCell, ...]

    @property
    def channels(self) -> tuple[str, ...]:
        """The rows of the map: all channels as one, then each, the most visited first."""
        order = {"": 0} | {cell.channel: 0 for cell in self.cells}
        for cell in self.cells:
            order[cell.channel] = max(order[cell.channel], cell.people)
        return tuple(sorted(order, key=lambda channel: (channel != "", -order[channel], channel)))


def read_map(client: Client, span: Span, *, model: str, segment: str = "") -> JourneyMap:
    """Read the map of `model`; `segment` empty: everybody.

    Raises:
        MapFailed: the tables know no such model.
    """
    parameters = span.parameters() | {"model": model, "segment": segment}

    def rows(statement: str) -> Sequence[Sequence[Any]]:
        return client.query(statement, parameters=parameters).result_rows

    phases = tuple(MapPhase(*row) for row in rows(_PHASES))
    if not phases:
        known = rows("SELECT DISTINCT model FROM journey_models FINAL ORDER BY model")
        raise MapFailed(
            f"the tables know no model {model!r}, but {', '.join(m for (m,) in known) or 'none'}: "
            "name it in TOUCHSTREAM_JOURNEY_MODELS and run touchstream migrate"
        )
    cells = tuple(MapCell(*row) for row in rows(_CELLS))
    return JourneyMap(model, segment, span, phases, cells)
