"""KPIs of the span, on three levels, with their lines over four weeks."""

from dataclasses import dataclass

from clickhouse_connect.driver.client import Client

from pipeline.reports.live.view import View, rows_of

# ruff: noqa: S608 - all values are parameters of the server; only our own text is formatted in.

_READING = """multiIf(
        d.reading = 'sum', sumIf(o.value, {chosen}),
        d.reading = 'median', medianExactIf(o.value, {chosen}),
        d.reading = 'people', toFloat64(uniqExactIf(o.person_id, {chosen})),
        avgIf(o.value, {chosen})
    )"""

# As the view `kpis` counts, which cannot be asked for a span; and the same for each of 28 days.
_FIGURES = """
WITH o.at >= fromUnixTimestamp64Milli({{start:Int64}}) AND o.at < fromUnixTimestamp64Milli({{end:Int64}}) AS is_now
SELECT d.kpi AS kpi, o.currency AS currency, {reading} AS value, countIf(is_now) AS observations,
    uniqExactIf(o.person_id, is_now) AS people, any(d.unit) AS unit, any(d.levels) AS levels, any(d.en) AS en, any(d.de) AS de,
    any(d.formula) AS formula
FROM
(
    SELECT * FROM kpi_observations
    WHERE site = {{site:String}} AND model IN ('', {{model:String}}){narrowed}
        AND at >= fromUnixTimestamp64Milli({{start:Int64}}) AND at < fromUnixTimestamp64Milli({{end:Int64}})
) AS o
INNER JOIN kpi_definitions AS d ON d.kpi = o.kpi
GROUP BY kpi, currency, d.reading
HAVING observations > 0
ORDER BY kpi, currency"""

_TOUCHPOINTS = """
SELECT toString(f.name) AS name, toString(f.channel) AS channel, count() AS volume, uniqExact(f.person_id) AS people,
    countIf(f.is_exit) AS exits,
    if(count(f.waiting_seconds) = 0, NULL, medianExact(f.waiting_seconds)) AS median_waiting_seconds,
    avg(f.satisfaction) AS satisfaction, count(f.satisfaction) AS answers,
    countIf(f.has_complaint) AS complaints,
    topKIf(1)(toString(f.next_name), f.next_name != '')[1] AS next_touchpoint
FROM touchpoint_flow AS f
WHERE {span}
GROUP BY name, channel
ORDER BY volume DESC, name, channel
LIMIT 40"""


@dataclass(frozen=True, kw_only=True)
class KeyFigure:
    """A KPI of the span, made of `observations`; `levels` are the phases it tells about."""

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
class TouchpointFigures:
    """The KPIs of one touchpoint on one channel; None: nobody measured, nobody said."""

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


def read_key_figures(client: Client, view: View) -> tuple[KeyFigure, ...]:
    """Compute the KPIs that were observed in the span."""
    narrowed = " AND channel = {channel:String}" if view.channel else ""
    narrowed += " AND segment = {segment:String}" if view.segment else ""
    reading = _READING.format(chosen="is_now")
    return rows_of(KeyFigure, client, view, _FIGURES.format(reading=reading, narrowed=narrowed))


def read_touchpoint_figures(client: Client, view: View) -> tuple[TouchpointFigures, ...]:
    """Compute the KPIs of every touchpoint, the most frequent first."""
    span = view.covers("at").replace(" AND session_id", " AND f.session_id")
    return rows_of(TouchpointFigures, client, view, _TOUCHPOINTS.format(span=span))
