"""The KPIs of the span on three levels, with lines over four weeks."""

from dataclasses import dataclass

from clickhouse_connect.driver.client import Client

from pipeline.reports.live.asking import question, rows_of
from pipeline.reports.live.view import SLICES, View

_READING = """multiIf(
        d.reading = 'sum', sum(o.value),
        d.reading = 'median', medianExact(o.value),
        d.reading = 'people', toFloat64(uniqExact(o.person_id)),
        avg(o.value)
    )"""

_FIGURES = """
SELECT d.kpi AS kpi, o.currency AS currency, {reading} AS value, count() AS observations,
    uniqExact(o.person_id) AS people, any(d.unit) AS unit, any(d.levels) AS levels,
    any(d.en) AS en, any(d.de) AS de, any(d.formula) AS formula
FROM
(
    SELECT * FROM {observed}
) AS o
INNER JOIN kpi_definitions AS d ON d.kpi = o.kpi
GROUP BY kpi, currency, d.reading
ORDER BY kpi, currency"""

_LINES = """
SELECT kpi, currency, groupArray(value) AS line FROM
(
    SELECT d.kpi AS kpi, o.currency AS currency, toDate(o.at) AS day, {reading} AS value
    FROM
    (
        SELECT * FROM {observed}
    ) AS o
    INNER JOIN kpi_definitions AS d ON d.kpi = o.kpi
    GROUP BY kpi, currency, d.reading, day
    ORDER BY day
)
GROUP BY kpi, currency
ORDER BY kpi, currency"""

_PLACE = f"""least({SLICES} - 1, intDiv(
        toUnixTimestamp64Milli(f.at) - {{start:Int64}}, {{slice:Int64}}))"""

_TOUCHPOINTS = """
SELECT toString(f.name) AS name, toString(f.channel) AS channel, count() AS volume,
    uniqExact(f.person_id) AS people, countIf(f.is_exit) AS exits,
    if(
        count(f.waiting_seconds) = 0, NULL, medianExact(f.waiting_seconds)
    ) AS median_waiting_seconds,
    avg(f.satisfaction) AS satisfaction, count(f.satisfaction) AS answers,
    countIf(f.has_complaint) AS complaints,
    topKIf(1)(toString(f.next_name), f.next_name != '')[1] AS next_touchpoint,
    sumForEach(arrayMap(n -> n = {place}, range({slices}))) AS line,
    sumForEach(arrayMap(n -> n = {place} AND f.is_exit, range({slices}))) AS exit_line
FROM {flow} AS f
GROUP BY name, channel
ORDER BY volume DESC, name, channel
LIMIT 40"""


@dataclass(frozen=True, kw_only=True)
class KeyFigure:
    """A KPI of the span, from `observations`; `levels` are the phases that it describes."""

    kpi: str
    currency: str
    value: float
    observations: int
    people: int
    unit: str
    levels: tuple[str, ...]
    en: str
    de: str
    formula: str


@dataclass(frozen=True, kw_only=True)
class KeyLine:
    """A KPI on each of the last 28 days on which it was observed."""

    kpi: str
    currency: str
    line: tuple[float, ...]


@dataclass(frozen=True, kw_only=True)
class TouchpointFigures:
    """The KPIs of one touchpoint on one channel; None: nothing was measured or answered.

    The lines cover the span: how many, and how many of them were the last of their session.
    """

    name: str
    channel: str
    volume: int
    people: int
    exits: int
    median_waiting_seconds: float | None
    satisfaction: float | None
    answers: int
    complaints: int
    next_touchpoint: str
    line: tuple[int, ...]
    exit_line: tuple[int, ...]


def read_key_figures(client: Client, view: View) -> tuple[KeyFigure, ...]:
    """Compute the KPIs that were observed in the span."""
    statement = _FIGURES.format(reading=_READING, observed=question("kpi_values"))
    return rows_of(KeyFigure, client, view, statement)


def read_key_lines(client: Client, view: View) -> tuple[KeyLine, ...]:
    """Compute the KPIs of each of the last 28 days."""
    weeks = "fromUnixTimestamp64Milli({end:Int64} - 28 * 86400000)"
    observed = question("kpi_values", start=weeks)
    statement = _LINES.format(reading=_READING, observed=observed)
    return rows_of(KeyLine, client, view, statement)


def read_touchpoint_figures(client: Client, view: View) -> tuple[TouchpointFigures, ...]:
    """Compute the KPIs of every touchpoint, the most frequent first."""
    flow = question("touchpoint_flow")
    statement = _TOUCHPOINTS.format(flow=flow, slices=SLICES, place=_PLACE)
    return rows_of(TouchpointFigures, client, view, statement)
