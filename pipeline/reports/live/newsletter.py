"""What became of each mailing: from the mail to the order."""

from dataclasses import dataclass
from decimal import Decimal

from clickhouse_connect.driver.client import Client

from pipeline.reports.live.asking import rows_of
from pipeline.reports.live.view import IDENTITIES, PERSON, View
from pipeline.reports.span import IN_SPAN

# ruff: noqa: S608 - all values are parameters of the server; only our own text is formatted in.

# What people did within a week after their first click counts for the mailing.
_MAILINGS = f"""
SELECT m.campaign AS campaign, any(m.title) AS title,
    countIf(m.delivered) AS delivered, countIf(m.opened) AS opened,
    countIf(m.machines) AS opened_by_machines, countIf(m.clicked) AS clicked,
    countIf(m.left) AS unsubscribed,
    countIf(m.clicked AND a.carts > 0) AS carts, countIf(m.clicked AND a.orders > 0) AS ordered,
    sumIf(a.amount, m.clicked) AS amount, anyIf(a.currency, a.currency != '') AS currency
FROM
(
    SELECT campaign, person, any(title) AS title, max(name = 'Email Delivered') AS delivered,
        max(name = 'Email Opened' AND NOT is_machine) AS opened,
        max(name = 'Email Opened' AND is_machine) AS machines,
        max(name = 'Email Link Clicked') AS clicked,
        max(name IN ('Unsubscribed', 'Newsletter Unsubscribed')) AS left,
        minIf(at, name = 'Email Link Clicked') AS clicked_at
    FROM
    (
        SELECT {PERSON} AS person, v.name AS name, v.occurred_at AS at,
            JSONExtractString(v.properties, 'campaign_id') AS campaign,
            JSONExtractString(v.properties, 'campaign_name') AS title,
            JSONExtractBool(v.properties, 'is_machine_open') AS is_machine
        FROM (
            SELECT visitor_id, name, occurred_at, properties FROM touchpoints FINAL
            WHERE channel = 'newsletter' AND {IN_SPAN.format(time="occurred_at")}
        ) AS v
        LEFT JOIN {{identities}} AS i ON v.visitor_id = i.visitor_id
    )
    WHERE campaign != ''
    GROUP BY campaign, person
) AS m
LEFT JOIN
(
    SELECT {PERSON} AS person, countIf(v.name = 'Product Added') AS carts,
        uniqExactIf(v.order_id, v.order_event = 'completed') AS orders,
        sumIf(v.revenue, v.order_event = 'completed') AS amount,
        anyIf(v.currency, v.order_event = 'completed') AS currency
    FROM (
        SELECT visitor_id, name, order_id, revenue, currency FROM touchpoints FINAL
        WHERE (name = 'Product Added' OR order_event = 'completed') AND NOT is_bot
            AND {IN_SPAN.format(time="occurred_at")}
    ) AS v
    LEFT JOIN {{identities}} AS i ON v.visitor_id = i.visitor_id
    GROUP BY person
) AS a ON a.person = m.person
GROUP BY campaign
ORDER BY delivered DESC, campaign
LIMIT 12"""


@dataclass(frozen=True, kw_only=True)
class Mailing:
    """A mailing, counted in people. Machines that open are told apart.

    Of those who clicked, `carts` put something into the cart in the span, `ordered` ordered, for
    `amount` of `currency`.
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
    amount: Decimal
    currency: str


def read_mailings(client: Client, view: View) -> tuple[Mailing, ...]:
    """Count the mailings of the span, the largest first."""
    return rows_of(Mailing, client, view, _MAILINGS.replace("{identities}", IDENTITIES))
