"""Where visits come from, their devices, and what they look at, compared with the span before."""

from dataclasses import dataclass

from clickhouse_connect.driver.client import Client

from pipeline.reports.live.asking import rows_of
from pipeline.reports.live.view import SLICES, View

_MOST_VALUES = 12


@dataclass(frozen=True, kw_only=True)
class Traffic:
    """Visits by one value of a dimension: source, campaign, device, country or entry page.

    `orders` is how many of them ordered. For a `page`, views are counted. `line` covers the span,
    `line_before` the span before.
    """

    dimension: str
    value: str
    visits: int
    before: int
    orders: int
    line: tuple[int, ...]
    line_before: tuple[int, ...]


def read_traffic(client: Client, view: View) -> tuple[Traffic, ...]:
    """Count visits by the most frequent values of each dimension."""
    return rows_of(Traffic, client, view, "traffic", most=_MOST_VALUES, slices=SLICES)
