"""The journey map of one model: phases × channels, read from ClickHouse. Prints nothing."""

from dataclasses import dataclass

from clickhouse_connect.driver.client import Client

from pipeline.reports.ask import ask
from pipeline.reports.span import Span
from schemas.errors import Unusable

_PHASES = """
SELECT phase, en, de, needs, key_moment, picture, team
FROM journey_models FINAL
WHERE model = {model:String}
ORDER BY rank"""


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

    `went_on` people went on to a later phase. `median_seconds` is how long people stayed who left
    the phase. `satisfaction` is the mean answer from 0 to 100. None: nobody left, or answered.
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
        """The rows of the map: all channels together, then each, the most visited first."""
        order = {"": 0} | {cell.channel: 0 for cell in self.cells}
        for cell in self.cells:
            order[cell.channel] = max(order[cell.channel], cell.people)
        return tuple(sorted(order, key=lambda channel: (channel != "", -order[channel], channel)))


def read_map(client: Client, span: Span, *, model: str, segment: str = "") -> JourneyMap:
    """Read the map of `model`; an empty `segment` stands for everybody.

    Raises:
        MapFailed: the tables do not have this model.
    """
    found = client.query(_PHASES, parameters={"model": model}).result_rows
    phases = tuple(MapPhase(*row) for row in found)
    if not phases:
        known = client.query("SELECT DISTINCT model FROM journey_models FINAL ORDER BY model")
        names = ", ".join(name for (name,) in known.result_rows) or "none"
        raise MapFailed(
            f"the tables do not have the model {model!r}, but {names}: add it to "
            "TOUCHSTREAM_JOURNEY_MODELS and run touchstream migrate"
        )
    asked = span.asked() | {"model": model, "segment": segment}
    rows = ask(client, "journey_map", **asked).named()
    cells = tuple(MapCell(**{name: row[name] for name in MapCell.__annotations__}) for row in rows)
    return JourneyMap(model, segment, span, phases, cells)
