"""What gets the credit for the orders of a span, by seven models: the numbers. Prints nothing.

Six models are rules: the question `attribution_credits`. *markov* is computed from the paths.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

from clickhouse_connect.driver.client import Client

from pipeline.reports.ask import ask
from pipeline.reports.attribution.markov import Path, shares
from pipeline.reports.span import Span

Model = Literal[
    "first", "last", "last_non_direct", "linear", "position_based", "time_decay", "markov"
]
By = Literal["channel_group", "source", "campaign"]
MODELS: tuple[Model, ...] = get_args(Model)
BYS: tuple[By, ...] = get_args(By)

_ASKED_BY: dict[By, str] = {"channel_group": "group", "source": "source", "campaign": "campaign"}


@dataclass(frozen=True)
class Credit:
    """The credit of one source, group or campaign by a model; `net` is revenue less refunds."""

    model: Model
    value: str
    currency: str
    conversions: float
    revenue: float
    net: float


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
    """Credit the orders of `span` to the touches before them, at most `lookback_days` old."""
    asked = span.asked() | {"days": lookback_days, "by": _ASKED_BY[by]}
    found = [Credit(*row) for row in ask(client, "attribution_credits", **asked).rows]
    given = [credit for credit in found if credit.model in models]
    if "markov" in models:
        given += _by_markov(client, asked)
    given.sort(key=lambda c: (MODELS.index(c.model), c.currency, -c.conversions, c.value))
    return Attribution(span=span, by=by, lookback_days=lookback_days, credits=tuple(given))


def _by_markov(client: Client, asked: dict[str, Any]) -> Iterator[Credit]:
    paths = ask(client, "touch_paths", **asked).rows
    share_of = shares([Path(tuple(path), converted, people) for path, converted, people in paths])
    for order in ask(client, "orders_by_currency", **asked).named():
        if order["orders"]:
            for touch, share in share_of.items():
                given = (share * order[what] for what in ("orders", "amount", "net"))
                yield Credit("markov", touch, order["currency"], *given)
