"""Every panel's SQL runs on the real engine, on empty tables and on filled ones.

The macros expand as the data source's documentation says, for the hour of `FROM` to `TO`.
"""

import json
import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from clickhouse_connect.driver.client import Client

from tests.support.database import migrated_database
from tests.support.engine import EngineServer

ROOT = Path(__file__).parents[2]
DASHBOARDS = sorted((ROOT / "deploy/grafana/dashboards").glob("*.json"))
PANELS = [panel for path in DASHBOARDS for panel in json.loads(path.read_text())["panels"]]
SQL = {p["title"]: t["rawSql"] for p in PANELS for t in p["targets"] if "rawSql" in t}
FUNNEL = ["Product Viewed", "Product Added", "Checkout Started", "Order Completed"]
FROM = datetime(2026, 3, 1, 11, tzinfo=UTC)
NOON = FROM + timedelta(minutes=30)
TO = FROM + timedelta(hours=1)

_START, _END = int(FROM.timestamp()), int(TO.timestamp())
_MACROS = {
    r"\$__timeFilter\(([^()]+)\)": rf"\1 >= toDateTime({_START}) AND \1 <= toDateTime({_END})",
    r"\$__timeInterval\(([^()]+)\)": r"toStartOfInterval(toDateTime(\1), INTERVAL 300 second)",
    r"\$\{site:singlequote\}": "'shop'",
    r"\$__fromTime": f"toDateTime({_START})",
    r"\$__toTime": f"toDateTime({_END})",
}


def expand(sql: str) -> str:
    for macro, meaning in _MACROS.items():
        sql = re.sub(macro, meaning, sql)
    assert "$" not in sql, f"a macro or variable that this test does not know: {sql}"
    return sql


def answer(client: Client, title: str) -> Sequence[Sequence[Any]]:
    return client.query(expand(SQL[title])).result_rows


@pytest.fixture(scope="module")
def empty(engine: EngineServer) -> Iterator[Client]:
    with migrated_database(engine) as client:
        yield client


@pytest.fixture(scope="module")
def filled(engine: EngineServer) -> Iterator[Client]:
    with migrated_database(engine) as client:
        fill(client)
        yield client


def fill(client: Client) -> None:
    """Four visits, two of mobiles; 3 carts, 2 checkouts, 1 order; strangers that must not count."""
    add_sessions(client)
    add_touchpoints(client)
    add_abandonments(client)
    names = ["dead_letter_id", "site", "reason", "at"]
    letters = [
        ("1", "shop", "not_json", NOON),
        ("1", "shop", "not_json", NOON),
        ("2", "", "too_large", NOON),
        ("3", "other", "not_json", NOON),
    ]
    client.insert("dead_letters", letters, column_names=names)


def add_sessions(client: Client) -> None:
    visits = [
        ("shop", "website", "desktop", FUNNEL[:1], 0, "0", NOON, False),
        ("shop", "website", "desktop", FUNNEL[:2], 0, "0", NOON, False),
        ("shop", "newsletter", "mobile", FUNNEL[1:3], 0, "0", NOON, False),
        ("shop", "newsletter", "mobile", FUNNEL, 1, "80.50", NOON, False),
        ("shop", "website", "desktop", FUNNEL, 1, "9", NOON, True),
        ("shop", "website", "desktop", FUNNEL, 1, "9", TO + timedelta(seconds=1), False),
        ("other", "website", "desktop", FUNNEL, 1, "9", NOON, False),
    ]
    names = ["site", "channel", "device", "steps", "orders", "revenue", "started_at", "is_bot"]
    rows = [
        (*visit[:5], Decimal(visit[5]), *visit[6:], f"s{number}", f"v{number}")
        for number, visit in enumerate(visits)
    ]
    client.insert("sessions", rows, column_names=[*names, "session_id", "visitor_id"])


def add_touchpoints(client: Client) -> None:
    """Three visitors now and two a week ago; a bot and a stranger."""
    week_ago = NOON - timedelta(days=7)
    seen = [
        *(("shop", "a", name, NOON, False) for name in FUNNEL[:2]),
        ("shop", "b", FUNNEL[0], NOON, False),
        ("shop", "c", FUNNEL[1], NOON, False),
        *(("shop", "d", name, week_ago, False) for name in FUNNEL[:3]),
        ("shop", "e", FUNNEL[0], week_ago, False),
        ("shop", "f", FUNNEL[0], NOON, True),
        ("other", "g", FUNNEL[0], NOON, False),
    ]
    names = ["site", "visitor_id", "name", "occurred_at", "is_bot", "touchpoint_id"]
    rows = [(*touchpoint, f"t{number}") for number, touchpoint in enumerate(seen)]
    client.insert("touchpoints", rows, column_names=names)


def add_abandonments(client: Client) -> None:
    lost = [
        ("shop", "cart", "Product Added", "/cart", "10.25", None, "", NOON),
        ("shop", "checkout", "Checkout Started", "/pay", "30", None, "", NOON),
        (
            "shop",
            "checkout",
            "Checkout Started",
            "/pay",
            "50",
            NOON + timedelta(hours=2),
            "email",
            NOON,
        ),
        ("shop", "cart", "Product Added", "/cart", "99", None, "", FROM - timedelta(seconds=1)),
        ("other", "cart", "Product Added", "/cart", "99", None, "", NOON),
        ("shop", "journey", "purchase", "/cart", "10.25", None, "", NOON),
    ]
    names = ["site", "kind", "step", "last_path", "value", "recovered_at", "recovered_channel"]
    rows = [
        (*row[:4], Decimal(row[4]), *row[5:], f"a{number}", "EUR", FROM)
        for number, row in enumerate(lost)
    ]
    columns = [*names, "abandoned_at", "abandonment_id", "currency", "opened_at"]
    client.insert("abandonments", rows, column_names=columns)


@pytest.mark.parametrize("title", SQL)
def test_a_panel_runs_on_empty_tables(empty: Client, title: str) -> None:
    assert [row for row in answer(empty, title) if any(row)] == []


def test_the_site_variable_lists_the_sites(filled: Client) -> None:
    for path in DASHBOARDS:
        [site] = json.loads(path.read_text())["templating"]["list"]
        assert filled.query(site["query"]).result_rows == [("other",), ("shop",)]


def test_the_funnel_counts_reach_and_closed(filled: Client) -> None:
    expected = [
        ("Product Viewed", 3, 3),
        ("Product Added", 3, 2),
        ("Checkout Started", 2, 1),
        ("Order Completed", 1, 1),
    ]
    assert expected == answer(filled, "How many sessions reach each step?")


def test_the_conversion_is_of_those_that_reached_the_step_before(filled: Client) -> None:
    rows = answer(filled, "What share goes on to the next step?")
    expected = {
        "Product Viewed → Product Added": 2 / 3,
        "Product Added → Checkout Started": 2 / 3,
        "Checkout Started → Order Completed": 1 / 2,
    }
    assert expected == {step: share for _, step, share in rows}


def test_the_live_funnel_counts_visitors_now_and_a_week_before(filled: Client) -> None:
    assert answer(filled, "How many visitors come how far?") == [
        ("Product Viewed", 2, 2, 2),
        ("Product Added", 2, 1, 1),
        ("Checkout Started", 0, 0, 1),
    ]


def test_the_live_shares_are_of_those_that_closed_the_step_before(filled: Client) -> None:
    title = "What share comes from the step before, and was it more last week?"
    assert answer(filled, title) == [
        ("Product Added", 0.5, 0.5),
        ("Checkout Started", 0.0, 1.0),
        ("Order Completed", None, 0.0),
    ]


def test_the_visitors_of_each_hour_are_drawn(filled: Client) -> None:
    found = {row[1:] for row in answer(filled, "When do they come?")}
    assert found == {("Product Viewed", 2), ("Product Added", 2)}


def test_channels_and_devices_are_compared(filled: Client) -> None:
    website, newsletter = (2, 0.5, 0.0, 0.0, 0.0), (2, 1.0, 1.0, 0.5, 40.25)
    channels = {row[0]: row[1:] for row in answer(filled, "Which channel converts?")}
    devices = {row[0]: row[1:] for row in answer(filled, "Which device converts?")}
    assert channels == {"website": website, "newsletter": newsletter}
    assert devices == {"desktop": website, "mobile": newsletter}


def test_abandonment_has_its_cost_and_what_came_back(filled: Client) -> None:
    cart, checkout = ("EUR", 1, 10.25, 0, 10.25), ("EUR", 2, 80.0, 1, 30.0)
    rows = [tuple(row) for row in answer(filled, "What is abandoned, and what does it cost?")]
    assert rows[0] == ("checkout", *checkout)
    assert set(rows[1:]) == {("cart", *cart), ("journey", *cart)}


def test_the_value_at_stake_is_drawn_by_the_time_of_abandonment(filled: Client) -> None:
    rows = answer(filled, "When does it happen?")
    assert {(kind, stake) for _, kind, stake in rows} == {
        ("cart EUR", 10.25),
        ("checkout EUR", 80.0),
    }


def test_the_last_page_of_the_costliest_comes_first(filled: Client) -> None:
    expected = [
        ("Checkout Started", "/pay", "EUR", 2, 80.0),
        ("Product Added", "/cart", "EUR", 1, 10.25),
    ]
    assert expected == answer(filled, "On which page do we lose them?")


def test_recovery_has_its_channel_and_delay(filled: Client) -> None:
    expected = [("checkout", "email", "EUR", 1, 50.0, 7200.0)]
    assert expected == answer(filled, "What brings them back?")


def test_a_dead_letter_counts_once_and_without_a_site_everywhere(filled: Client) -> None:
    rows = answer(filled, "What input was refused, and why?")
    assert {row[1:] for row in rows} == {("not_json", 1), ("too_large", 1)}


def test_the_age_is_that_of_the_newest_touchpoint(filled: Client) -> None:
    now = datetime.now(UTC)
    names = ["touchpoint_id", "site", "visitor_id", "occurred_at", "received_at"]
    times = [now - timedelta(minutes=minutes) for minutes in (10, 20)]
    rows = [(str(number), "shop", "v", at, at) for number, at in enumerate(times)]
    filled.insert("touchpoints", rows, column_names=names)
    [(age,)] = answer(filled, "How old is the newest touchpoint?")
    assert 600 <= age < 660


@pytest.mark.parametrize("panel", PANELS, ids=lambda panel: panel["title"])
def test_a_panel_asks_a_question_and_says_what_its_numbers_mean(panel: dict[str, Any]) -> None:
    assert panel["title"].endswith("?")
    assert "Unit:" in panel["description"] or "currency" in panel["description"]


@pytest.mark.parametrize("path", DASHBOARDS, ids=lambda path: path.stem)
def test_panels_do_not_overlap_and_have_ids_of_their_own(path: Path) -> None:
    found = json.loads(path.read_text())["panels"]
    cells = [
        (grid["x"] + dx, grid["y"] + dy)
        for grid in (panel["gridPos"] for panel in found)
        for dx in range(grid["w"])
        for dy in range(grid["h"])
    ]
    assert len(cells) == len(set(cells))
    assert len(found) == len({panel["id"] for panel in found})


def test_panels_use_the_data_sources_that_are_provisioned() -> None:
    provisioned = (ROOT / "deploy/grafana/provisioning/datasources/touchstream.yml").read_text()
    known = set(re.findall(r"uid: (\w+)", provisioned))
    assert {panel["datasource"]["uid"] for panel in PANELS} == known
