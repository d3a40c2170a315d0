"""The result of each mailing, from the mail to the order."""

from dataclasses import dataclass

from clickhouse_connect.driver.client import Client

from pipeline.reports.live.asking import rows_of
from pipeline.reports.live.view import View

_MOST = 12


@dataclass(frozen=True, kw_only=True)
class Mailing:
    """A mailing, counted in people. Opens by machines are counted separately.

    Of the people who clicked, `carts` put something into the cart within a week; `orders` ordered,
    for `amount`, of which `net` is left after refunds. None: they paid in several currencies.
    """

    campaign: str
    title: str
    delivered: int
    opened: int
    opened_by_machines: int
    clicked: int
    unsubscribed: int
    carts: int
    orders: int
    amount: float | None
    net: float | None
    currency: str


def read_mailings(client: Client, view: View) -> tuple[Mailing, ...]:
    """Count the mailings of the span, the largest first."""
    return rows_of(Mailing, client, view, "mailings", most=_MOST)
