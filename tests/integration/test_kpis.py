"""KPIs on three levels, on one small story: every value here was computed by hand from it.

Ann searches for the brand, comes back, buys twice and answers the surveys. Ben calls before he
buys. Cid leaves a cart. Dot only looks at a page. A bot does everything and counts for nothing.
"""

# ruff: noqa: S608 - no text but our own.

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from clickhouse_connect.driver.client import Client

from tests.support.engine import EngineServer
from tests.support.stories import DAY, Seen, at, library, move, order, rows, seen, visit, whole

PAGE = (Path(__file__).parents[2] / "docs/kpis.md").read_text(encoding="utf-8")
QUERIES: list[str] = re.findall(r"```sql\n(.*?)```", PAGE, re.DOTALL)


@pytest.fixture(scope="module")
def client(engine: EngineServer) -> Iterator[Client]:
    with library(engine) as client:
        ann(client)
        ben(client)
        visit(
            client,
            "cid",
            seen(0, "Page Viewed", "website", "/start"),
            seen(0.5, "Page Engaged", "website", "/start", engaged_seconds=12),
            seen(2, "Product Added"),
            channel_group="Direct",
            device="mobile",
        )
        visit(client, "dot", seen(0, "Page Viewed", "website", "/start"), channel_group="Direct")
        everything = ("Page Viewed", "Product Added", "Product Reviewed", "Complaint Made")
        crawled = (seen(n, name, path="/start") for n, name in enumerate(everything))
        answer = seen(9, "Survey Answered", survey="nps", score=0)
        visit(client, "bot", *crawled, order(8, "o9", 999), answer, is_bot=True, session_id="bot")
        move(client, "bot", 0, "awareness", session_id="bot")
        yield client


def ann(client: Client) -> None:
    visit(
        client,
        "ann",
        seen(0, "Page Viewed", "website", "/start"),
        seen(1, "Page Viewed", "shop", "/shoes"),
        seen(3, "Product Added"),
        order(4, "o1", 50),
        channel_group="Organic Search",
        is_branded=True,
        device="desktop",
        country="DE",
        traffic_source="google",
        traffic_campaign="spring",
    )
    visit(
        client,
        "ann",
        seen(DAY, "Identified", traits={"segment": "runner"}),
        order(DAY + 1, "o2", 30),
    )
    visit(
        client,
        "ann",
        seen(2 * DAY, "Survey Answered", "survey", survey="nps", score=9, phase="purchase"),
        seen(2 * DAY + 1, "Survey Answered", "survey", survey="csat", score="4"),
        seen(2 * DAY + 2, "Survey Answered", "survey", survey="nps", score=11),
        seen(2 * DAY + 3, "Survey Answered", "survey", survey="nps"),
        seen(2 * DAY + 4, "Product Reviewed", "review"),
        seen(2 * DAY + 5, "Recommendation Made", "messenger"),
        seen(2 * DAY + 6, "Survey Answered", "survey", survey="nps", score=10, phase="service"),
    )
    move(client, "ann", 0, "awareness", kind="enter", session_id="ann 0", channel="website")
    move(client, "ann", 3, "purchase", session_id="ann 0")
    move(client, "ann", DAY, "awareness", kind="cycle", cycle=2, session_id=f"ann {DAY}")


def ben(client: Client) -> None:
    visit(
        client,
        "ben",
        seen(0, "Phone Call Received", "phone", waiting_seconds=30),
        seen(6, "Support Contacted", "phone", waiting_seconds=50),
        order(122, "o3", 20, "phone"),
        order(122, "o3", 20, "phone"),
    )
    visit(
        client,
        "ben",
        seen(2 * DAY, "Survey Answered", "survey", survey="nps", score=6, phase="purchase"),
        seen(2 * DAY + 1, "Survey Answered", "survey", kind="nps", score=8, phase="service"),
        seen(2 * DAY + 2, "Survey Answered", "survey", survey="csat", score=3),
    )
    move(client, "ben", 0, "consideration", kind="enter", session_id="ben 0", channel="phone")
    move(client, "cid", 0, "awareness", kind="enter", session_id="cid 0", channel="website")


def value(client: Client, kpi: str) -> object:
    [(found,)] = rows(client, f"SELECT round(value, 2) FROM {whole('kpis', kpi=kpi)}")
    return found


@pytest.mark.parametrize(
    ("kpi", "expected"),
    [
        ("nps", 25),  # 9 and 10 are promoters, 6 a detractor, 8 neither; 11 is no score
        ("csat", 50),  # 4 is satisfied, 3 is not
        ("conversion_rate", 75),  # of ann's two, ben's and cid's journeys all but cid's
        ("hours_to_purchase", 0.07),  # ann 4 minutes and 1 minute, ben 122
        ("cycles_per_person", 1.33),  # 4 journeys of 3 people
        ("visits", 7),
        ("dwell_time", 60),  # ann 60 and 180 s, cid 12 s measured; dot's is unknown
        ("branded_search", 1),
        ("direct_traffic", 2),
        ("cart_abandonment_rate", 50),  # of two sessions with a cart cid's
        ("session_conversion_rate", 42.86),  # 3 of 7
        ("returning_visitors", 2),
        ("conversations", 1),  # ben's two calls are one session; ann tells a friend, not us
        ("customer_lifetime_value", 50),  # ann 80, ben 20: his order came twice
        ("reviews", 1),
        ("recommendations", 1),
        ("repeat_purchase_rate", 50),
    ],
)
def test_a_kpi_is_what_its_definition_says(client: Client, kpi: str, expected: float) -> None:
    assert value(client, kpi) == expected


def test_every_kpi_of_the_definitions_was_observed(client: Client) -> None:
    defined = rows(client, "SELECT kpi FROM kpi_definitions ORDER BY kpi")
    assert rows(client, f"SELECT DISTINCT kpi FROM {whole('kpis')} ORDER BY kpi") == defined


def test_the_net_promoter_score_of_a_phase_is_that_of_the_answers_about_it(client: Client) -> None:
    found = f"SELECT slice, value FROM {whole('kpi_by', kpi='nps', by='phase')}"
    assert dict(rows(client, found)) == {"purchase": 0, "service": 50}


@pytest.mark.parametrize(
    ("kpi", "where", "expected"),
    [
        ("visits", "channel_group = 'Direct'", 2),
        ("visits", "device = 'desktop'", 1),
        ("visits", "country = 'DE' AND traffic_source = 'google' AND campaign = 'spring'", 1),
        ("visits", "segment = 'runner'", 3),  # also the visits before the trait was known
        ("visits", "channel = 'phone'", 1),
        ("visits", "at < '2025-03-02 12:00:00'", 4),
        ("conversion_rate", "cycle = 1", 3),
        ("conversion_rate", "cycle = 2 AND model = 'lifecycle' AND segment = 'runner'", 1),
        ("customer_lifetime_value", "currency = 'EUR' AND device = 'desktop'", 1),
        ("nps", "channel = 'survey'", 4),
    ],
)
def test_a_slice_holds_its_observations(
    client: Client, kpi: str, where: str, expected: int
) -> None:
    segment = "runner" if "segment" in where else ""
    observations = whole("kpi_observations", kpi=kpi, segment=segment)
    where = where.replace("segment = 'runner'", "true")
    statement = f"SELECT count() FROM {observations} WHERE {where}"
    assert rows(client, statement) == [(expected,)]


def test_money_of_two_currencies_is_not_added(engine: EngineServer) -> None:
    with library(engine) as client:
        dollars = Seen(
            1,
            "Order Completed",
            columns={"order_event": "completed"} | {"revenue": 7, "currency": "USD"},
        )
        visit(client, "ann", order(0, "o1", 50), dollars)
        found = f"SELECT currency, value FROM {whole('kpis', kpi='customer_lifetime_value')}"
        assert dict(rows(client, found)) == {"EUR": 50, "USD": 7}


def test_orders_know_the_days_since_the_one_before(client: Client) -> None:
    found = f"SELECT order_id, ordered_at, days_since_previous FROM {whole('purchases')}"
    assert rows(client, f"{found} ORDER BY order_id") == [
        ("o1", at(4), None),
        ("o2", at(DAY + 1), 1),
        ("o3", at(122), None),
    ]


# --- one touchpoint ------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def touchpoints(engine: EngineServer) -> Iterator[Client]:
    with library(engine) as client:
        chat = seen(0, "Chat Started", "chat", waiting_seconds=10)
        visit(client, "ann", chat, seen(1, "Product Viewed"), seen(2, "Product Reviewed", rating=5))
        visit(client, "ben", chat, seen(1, "Complaint Made", "chat"))
        visit(client, "cid", chat, seen(1, "Survey Answered", "survey", survey="csat", score=3))
        visit(client, "dot", seen(0, "Chat Started", "chat", waiting_seconds=50))
        visit(client, "dot", seen(2 * DAY, "Complaint Made", "chat"))
        yield client


def test_a_touchpoint_has_volume_exits_waits_satisfaction_complaints_and_a_next_one(
    touchpoints: Client,
) -> None:
    found = f"SELECT * EXCEPT channel FROM {whole('touchpoint_kpis')} WHERE name = 'Chat Started'"
    assert rows(touchpoints, found) == [
        # Dot leaves; waits of 10, 10, 10, 50 s; one answer, cid's 3 of 1 to 5.
        # Dot's complaint came too late.
        ("Chat Started", 4, 4, 25.0, 10.0, 50.0, 1, 1, "Survey Answered", 25.0)
    ]


def test_a_touchpoint_that_was_rated_is_as_satisfying_as_its_stars(touchpoints: Client) -> None:
    found = f"SELECT satisfaction, exit_rate, next_touchpoint FROM {whole('touchpoint_kpis')}"
    assert rows(touchpoints, f"{found} WHERE name = 'Product Reviewed'") == [(100.0, 100.0, "")]


# --- the page ------------------------------------------------------------------------------------


def test_every_kpi_is_defined_in_the_docs_as_in_the_database(client: Client) -> None:
    defined = rows(client, "SELECT kpi, de, unit, reading, formula FROM kpi_definitions")
    lines = [
        f"| `{kpi}` | {de} | {unit} | {reading} | {formula} |"
        for kpi, de, unit, reading, formula in defined
    ]
    assert [line for line in lines if line not in PAGE] == []


@pytest.mark.parametrize("query", QUERIES, ids=lambda query: query.splitlines()[0])
def test_an_example_of_the_docs_is_understood(client: Client, query: str) -> None:
    assert client.query(query).column_names[0] == "day"
