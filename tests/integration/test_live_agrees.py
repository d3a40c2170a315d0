"""The live page, Grafana, the commands and the report say the same about the same span.

On the small shop, of which every figure can be counted by hand. So that they do not agree on
something wrong, some are compared with that count.
"""

import re
from collections.abc import AsyncIterator, Callable
from typing import Any, NamedTuple

import pytest
import pytest_asyncio
from clickhouse_connect.driver.client import Client

from pipeline.reports.ask import ask
from pipeline.reports.overview.answer import read_report
from pipeline.reports.span import Span
from tests.integration.test_dashboards import ASKING, expand
from tests.support.engine import EngineServer
from tests.support.live import Serving, serving
from tests.support.shopping import SPAN, shop
from tests.support.stories import SITE, Seen, at, seen, visit

ASKED = {"from": SPAN["start"].isoformat(), "to": SPAN["end"].isoformat()}
GIVEN: dict[str, Any] = SPAN | {"step": 300, "days": 30, "kpi": "", "most": 50}

Values = list[tuple[Any, ...]]


class Agrees(NamedTuple):
    """A panel and a question: the columns of both by name, which rows, and what a hand counts."""

    panel: str
    question: str
    columns: dict[str, str]
    by_hand: Values | None = None
    is_meant: Callable[[dict[str, Any]], bool] = bool


def same(*names: str) -> dict[str, str]:
    return dict(zip(names, names, strict=True))


AGREE = [
    Agrees(
        "funnel",
        "funnel_steps",
        {"step": "step", "people": "closed"},
        [
            ("Product Viewed", 1),
            ("Product Added", 1),
            ("Checkout Started", 1),
            ("Order Completed", 1),
        ],
        lambda row: row["step"] != "Page Viewed",
    ),
    Agrees(
        "phases",
        "people_by_phase",
        same("phase", "people", "came", "went_on", "median_seconds"),
        [
            ("awareness", 0, 1, 1, 120),
            ("consideration", 1, 0, 0, None),
            ("purchase", 1, 1, 0, None),
            ("service", 0, 0, 0, None),
            ("loyalty", 0, 0, 0, None),
        ],
    ),
    Agrees(
        "abandoned",
        "abandonments_by_kind",
        {"kind": "kind", "currency": "currency", "people": "people", "at_stake": "lost"},
        [("cart", "EUR", 2, 20.0)],
        lambda row: row["kind"] != "",
    ),
    Agrees(
        "orders",
        "orders_by_currency",
        same("currency", "orders", "amount", "refunded", "net", "orders_before", "net_before"),
        [("EUR", 1, 50.0, 10.0, 40.0, 1, 7.0)],
    ),
    Agrees(
        "mailings",
        "mailings",
        same("campaign", "delivered", "clicked", "carts", "orders", "amount", "net"),
        [("spring", 1, 1, 1, 1, 50.0, 40.0)],
    ),
    Agrees(
        "crossings",
        "channel_changes",
        same("from_channel", "to_channel", "people", "crossings", "median_seconds", "lost"),
        None,
        lambda row: row["from_channel"] != "",
    ),
    Agrees("map", "journey_map", same("phase", "channel", "people", "went_on", "pain_points")),
    Agrees(
        "weak",
        "weak_points",
        same("kind", "place", "people", "lost", "support_contacts", "complaints", "score"),
        None,
        lambda row: row["kind"] in ("step", "page") and row["score"] > 0,
    ),
    Agrees(
        "touchpoints",
        "touchpoint_kpis",
        same("name", "channel", "volume", "people", "exit_rate", "next_touchpoint"),
    ),
    Agrees("kpis", "kpis", same("kpi", "currency", "value", "observations", "people")),
]


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def afternoon(engine: EngineServer) -> AsyncIterator[tuple[Serving, Client]]:
    """That afternoon, with the mail that brought Ann back, and something that she sent back."""
    with shop(engine) as client:
        mail = {"channel": "newsletter", "campaign_id": "spring"}
        visit(client, "ann-laptop", *(seen(m, n, **mail) for m, n in ((28, _MAIL), (29, _CLICK))))
        told = {"order_event": "partially_refunded", "order_id": "o1", "currency": "EUR"}
        visit(client, "ann-laptop", Seen(50, "Order Refunded", columns=told | {"revenue": 10}))
        async with serving(client, clock=lambda: at(60), journey_models=["lifecycle"]) as live:
            yield live, client


_MAIL, _CLICK = "Email Delivered", "Email Link Clicked"


def values(rows: list[dict[str, Any]], agrees: Agrees, columns: list[str]) -> Values:
    return [tuple(row[name] for name in columns) for row in rows if agrees.is_meant(row)]


@pytest.mark.parametrize("agrees", AGREE, ids=lambda agrees: agrees.panel)
async def test_the_page_says_what_the_commands_say(
    agrees: Agrees, afternoon: tuple[Serving, Client]
) -> None:
    live, client = afternoon
    shown = values(await live.rows(agrees.panel, **ASKED), agrees, list(agrees.columns))
    told = list(ask(client, agrees.question, **GIVEN).named())
    assert sorted(shown, key=str) == sorted(
        values(told, agrees, list(agrees.columns.values())), key=str
    )
    assert shown
    assert agrees.by_hand in (None, shown)


@pytest.mark.parametrize("agrees", AGREE, ids=lambda agrees: agrees.panel)
async def test_the_page_says_what_grafana_draws(
    agrees: Agrees, afternoon: tuple[Serving, Client]
) -> None:
    """In the columns that a panel takes from its question as they are."""
    live, client = afternoon
    specs = [one for one in ASKING if one.question == agrees.question]
    panels = [client.query(expand(spec.sql)) for spec in specs]
    names = {question: shown for shown, question in agrees.columns.items()}
    as_they_are = [
        name
        for name in agrees.columns.values()
        if name in panels[0].column_names and not re.search(f'AS "?{name}', specs[0].columns)
    ]
    drawn = {
        tuple(row.get(name) for name in as_they_are)
        for panel in panels
        for row in panel.named_results()
    }
    rows = [row for row in await live.rows(agrees.panel, **ASKED) if agrees.is_meant(row)]
    assert as_they_are
    assert {tuple(row[names[name]] for name in as_they_are) for row in rows} <= drawn


async def test_the_page_says_what_the_report_says(afternoon: tuple[Serving, Client]) -> None:
    live, client = afternoon
    report = read_report(client, Span(site=SITE, start=SPAN["start"], end=SPAN["end"]))
    [money] = await live.rows("orders", **ASKED)
    [told] = report.revenue
    assert (money["orders"], money["amount"], money["refunded"], money["net"]) == (
        told.orders,
        float(told.amount),
        float(told.refunded),
        float(told.net),
    )
    [left] = report.abandoned
    [cart] = [row for row in await live.rows("abandoned", **ASKED) if row["kind"]]
    assert (left.kind, left.count, float(left.value)) == (
        cart["kind"],
        cart["people"],
        cart["at_stake"] + cart["won"],
    )
