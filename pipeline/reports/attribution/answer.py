"""Who gets the credit for the orders of a span, by seven models: the numbers. Prints nothing.

Six models are rules, and stand in the view `attribution`; *markov* is computed from the paths.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

from clickhouse_connect.driver.client import Client

from pipeline.reports.attribution.markov import Path, shares
from pipeline.reports.span import IN_SPAN, Span

Model = Literal[
    "first", "last", "last_non_direct", "linear", "position_based", "time_decay", "markov"
]
By = Literal["channel_group", "source", "campaign"]
MODELS: tuple[Model, ...] = get_args(Model)
BYS: tuple[By, ...] = get_args(By)

_COLUMN: dict[By, str] = {
    "channel_group": "channel_group",
    "source": "traffic_source",
    "campaign": "traffic_campaign",
}
_VALUE = "if({column} = '', '(not set)', toString({column}))"

_CREDITS = """
SELECT model, {value} AS value, currency, sum(credit), sum(revenue)
FROM attribution(days = {{days:UInt16}})
WHERE has({{models:Array(String)}}, model) AND {in_span}
GROUP BY model, value, currency"""

_TOTALS = """
SELECT currency, count(), toFloat64(sum(revenue))
FROM conversions
WHERE {in_span}
GROUP BY currency
ORDER BY currency"""

# Of touches that led to no order, each person has one path.
_PATHS = """
SELECT path, is_converted, count()
FROM
(
    SELECT
        arrayCompact(arraySort(groupArray((position, {value}))).2) AS path,
        true AS is_converted
    FROM attribution(days = {{days:UInt16}})
    WHERE model = 'linear' AND {converted_in_span}
    GROUP BY site, order_id
    UNION ALL
    SELECT arrayCompact(arraySort(groupArray((started_at, session_id, {value}))).3), false
    FROM session_sources
    WHERE is_touch AND NOT is_bot AND {started_in_span} AND (site, session_id) NOT IN
        (SELECT site, session_id FROM attribution(days = {{days:UInt16}}) WHERE model = 'linear')
    GROUP BY site, person_id
)
GROUP BY path, is_converted"""


@dataclass(frozen=True)
class Credit:
    """What a model gives to one source, group or campaign."""

    model: Model
    value: str
    currency: str
    conversions: float
    revenue: float


@dataclass(frozen=True, kw_only=True)
class Attribution:
    """Everything that `touchstream attribution` says; the credits of a model sum to the totals."""

    span: Span
    by: By
    lookback_days: int
    credits: tuple[Credit, ...]


def read_attribution(
    client: Client,
    span: Span,
    *,
    by: By = "channel_group",
    models: Sequence[Model] = MODELS,
    lookback_days: int = 30,
) -> Attribution:
    """Give the orders of `span` to the touches before them, no more than `lookback_days` old."""
    asked = span.parameters() | {"days": lookback_days, "models": list(models)}
    value = _VALUE.format(column=_COLUMN[by])
    found = client.query(
        _CREDITS.format(value=value, in_span=IN_SPAN.format(time="converted_at")),
        parameters=asked,
    ).result_rows
    given = [Credit(*row) for row in found]
    if "markov" in models:
        given += _by_markov(client, asked, value)
    given.sort(key=lambda c: (MODELS.index(c.model), c.currency, -c.conversions, c.value))
    return Attribution(span=span, by=by, lookback_days=lookback_days, credits=tuple(given))


def _by_markov(client: Client, asked: dict[str, Any], value: str) -> Iterator[Credit]:
    converted, started = (IN_SPAN.format(time=time) for time in ("converted_at", "started_at"))
    statement = _PATHS.format(value=value, converted_in_span=converted, started_in_span=started)
    found = client.query(statement, parameters=asked).result_rows
    share_of = shares([Path(tuple(path), converted, people) for path, converted, people in found])
    totals = client.query(_TOTALS.format(in_span=converted), parameters=asked).result_rows
    for currency, conversions, revenue in totals:
        for touch, share in share_of.items():
            yield Credit("markov", touch, currency, share * conversions, share * revenue)
