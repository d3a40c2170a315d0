"""The result of each mailing, from the mail to the order."""

from dataclasses import dataclass

from clickhouse_connect.driver.client import Client

from pipeline.reports.live.asking import question, rows_of
from pipeline.reports.live.view import View

_MAILINGS = f"""
SELECT campaign, title, delivered, opened, opened_by_machines, clicked, unsubscribed, carts,
    orders AS ordered, amount, currency
FROM {question("mailings", most="12")}
ORDER BY delivered DESC, clicked DESC, campaign"""  # noqa: S608 - only our own text


@dataclass(frozen=True, kw_only=True)
class Mailing:
    """A mailing, counted in people. Opens by machines are counted separately.

    Of the people who clicked, `carts` put something into the cart within a week and `ordered`
    ordered, for `amount` in `currency`.
    """

    campaign: str
    title: str
    delivered: int
    opened: int
    opened_by_machines: int
    clicked: int
    unsubscribed: int
    carts: int
    ordered: int
    amount: float
    currency: str


def read_mailings(client: Client, view: View) -> tuple[Mailing, ...]:
    """Count the mailings of the span, the largest first."""
    return rows_of(Mailing, client, view, _MAILINGS)
