"""The view `attribution` and its command: every model with values computed by hand."""

# ruff: noqa: S608 - no text but our own.

from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from click.testing import CliRunner
from clickhouse_connect.driver.client import Client
from rich.console import Console

from pipeline.cli import main
from pipeline.reports.attribution.answer import (
    MODELS,
    By,
    Model,
    read_attribution,
)
from pipeline.reports.attribution.text import render
from pipeline.reports.span import Span, as_json
from tests.support.database import insert_json, migrated_database
from tests.support.engine import EngineServer
from tests.support.journeys import HOUR, MINUTE, NOON
from tests.support.stories import whole
from tests.support.tracker import Log, Worker, touchpoint

DAY_0 = datetime(2026, 5, 1, 12, tzinfo=UTC)
RULES: tuple[Model, ...] = MODELS[:-1]
EVERYTHING = Span(site="shop")
MEDIUM_OF = {"Direct": "(none)", "Organic Search": "organic", "Newsletter": "email"}
SOURCE_OF = {"Direct": "(direct)", "Organic Search": "google", "Newsletter": "newsletter"}


@pytest.fixture(scope="module")
def migrated(engine: EngineServer) -> Iterator[Client]:
    with migrated_database(engine) as client:
        yield client


@pytest.fixture
def client(migrated: Client) -> Client:
    for table in ("sessions", "touchpoints", "identities", "order_touchpoints", "bot_sessions"):
        migrated.command(f"TRUNCATE TABLE {table}")
    return migrated


def at(day: float) -> datetime:
    return DAY_0 + timedelta(days=day)


def visit(client: Client, id_: str, day: float, group: str = "Direct", **more: Any) -> None:
    """Insert a session of ada on the website, `day` days after the first day."""
    row = {
        "session_id": id_,
        "site": "shop",
        "visitor_id": "ada",
        "person_id": "ada",
        "started_at": at(day),
        "ended_at": at(day + 0.5),
        "channel": "website",
        "traffic_source": SOURCE_OF.get(group, group.lower()),
        "traffic_medium": MEDIUM_OF.get(group, "referral"),
        "channel_group": group,
        "version": 1,
    }
    insert_json(client, "sessions", [msgspec.json.encode(row | more)])


def order(client: Client, order_id: str, day: float, revenue: float = 0, **more: Any) -> None:
    """Insert an order of ada: it belongs to the session of hers that began last."""
    row = {
        "touchpoint_id": f"of-{order_id}-{day}",
        "site": "shop",
        "name": "Order Completed",
        "order_event": "completed",
        "visitor_id": "ada",
        "occurred_at": at(day),
        "order_id": order_id,
        "revenue": revenue,
        "currency": "EUR",
    }
    insert_json(client, "touchpoints", [msgspec.json.encode(row | more)])


def credits_of(client: Client, model: str, days: int = 30) -> dict[str, float]:
    """Give what each session is credited with by `model`."""
    found = client.query(
        f"SELECT session_id, credit FROM {whole('attribution', days=days)} "
        "WHERE model = {model:String} AND credit > 0",
        parameters={"model": model},
    )
    return {str(session): float(credit) for session, credit in found.result_rows}


def by_value(client: Client, model: Model, by: By = "channel_group") -> dict[str, float]:
    found: defaultdict[str, float] = defaultdict(float)
    for credit in read_attribution(client, EVERYTHING, by=by, models=[model]).credits:
        found[credit.value] += credit.conversions
    return {value: orders for value, orders in found.items() if orders}


def about(values: dict[str, float]) -> object:
    return pytest.approx(values, abs=1e-9)


def five_touches(client: Client) -> None:
    """Search, newsletter, Facebook, direct, and direct with the order, 14 to 0 days before it."""
    visit(client, "a", 0, "Organic Search")
    visit(client, "b", 7, "Newsletter")
    visit(client, "c", 10.5, "Organic Social")
    visit(client, "d", 12)
    visit(client, "e", 14)
    order(client, "o-1", 14, 100)


# 2^(-age/7): 1/4, 1/2, 2^-0.5, 2^(-2/7), 1; their sum.
DECAY = (0.25, 0.5, 0.5**0.5, 0.5 ** (2 / 7), 1.0)
WHOLE = sum(DECAY)


@pytest.mark.parametrize(
    ("model", "credits_"),
    [
        ("first", {"a": 1.0}),
        ("last", {"e": 1.0}),
        ("last_non_direct", {"c": 1.0}),
        ("linear", {"a": 0.2, "b": 0.2, "c": 0.2, "d": 0.2, "e": 0.2}),
        ("position_based", {"a": 0.4, "b": 0.2 / 3, "c": 0.2 / 3, "d": 0.2 / 3, "e": 0.4}),
        ("time_decay", {s: part / WHOLE for s, part in zip("abcde", DECAY, strict=True)}),
    ],
)
def test_five_touches_share_an_order(
    client: Client, model: str, credits_: dict[str, float]
) -> None:
    five_touches(client)
    assert about(credits_) == credits_of(client, model)


@pytest.mark.parametrize("model", RULES)
def test_the_only_touch_gets_everything(client: Client, model: str) -> None:
    visit(client, "a", 0, "Newsletter")
    order(client, "o-1", 0.01)
    assert credits_of(client, model) == {"a": 1.0}


@pytest.mark.parametrize(
    ("model", "credits_"),
    [
        ("position_based", {"a": 0.5, "b": 0.5}),
        ("linear", {"a": 0.5, "b": 0.5}),
        ("time_decay", {"a": 1 / 3, "b": 2 / 3}),
        ("last_non_direct", {"b": 1.0}),
    ],
)
def test_of_two_touches_each_has_its_half_or_its_age(
    client: Client, model: str, credits_: dict[str, float]
) -> None:
    visit(client, "a", 0)
    visit(client, "b", 7)
    order(client, "o-1", 7)
    assert about(credits_) == credits_of(client, model)


def test_the_lookback_ends_exactly_its_days_before_the_order(client: Client) -> None:
    millisecond = 1 / 86_400_000
    visit(client, "a", -millisecond)
    visit(client, "b", 0)
    visit(client, "c", 30)
    order(client, "o-1", 30)
    assert credits_of(client, "linear") == {"b": 0.5, "c": 0.5}
    assert credits_of(client, "linear", days=1) == {"c": 1.0}
    assert len(credits_of(client, "linear", days=31)) == 3


def test_what_begins_after_the_order_has_no_part_in_it(client: Client) -> None:
    visit(client, "a", 0)
    visit(client, "b", 1)
    order(client, "o-1", 0.5)
    assert credits_of(client, "linear") == {"a": 1.0}


def test_an_order_that_is_reported_twice_is_one_with_the_revenue_of_the_first(
    client: Client,
) -> None:
    visit(client, "a", 0, "Newsletter")
    order(client, "o-1", 0.1, 100)
    order(client, "o-1", 0.2, 70)
    rows = client.query(
        f"SELECT order_id, revenue, currency FROM {whole('conversions')}"
    ).result_rows
    assert [(id_, float(revenue), currency) for id_, revenue, currency in rows] == [
        ("o-1", 100.0, "EUR")
    ]
    assert by_value(client, "last") == {"Newsletter": 1.0}


def test_orders_without_a_number_are_told_apart_by_their_touchpoints(client: Client) -> None:
    visit(client, "a", 0)
    order(client, "", 0.1)
    order(client, "", 0.2)
    assert by_value(client, "linear") == {"Direct": 2.0}


def test_a_touch_leads_to_every_order_within_the_lookback(client: Client) -> None:
    visit(client, "a", 0, "Newsletter")
    visit(client, "b", 5)
    order(client, "o-1", 5)
    order(client, "o-2", 5.01)
    assert by_value(client, "first") == {"Newsletter": 2.0}


def test_mail_that_was_sent_and_bots_are_no_touch_but_a_call_is(client: Client) -> None:
    visit(client, "a", 0, "Newsletter", channel="newsletter")
    visit(client, "b", 1, "Unassigned", channel="phone", traffic_medium="offline")
    visit(client, "c", 2, is_bot=True)
    visit(client, "d", 3)
    order(client, "o-1", 3)
    assert credits_of(client, "linear") == {"b": 0.5, "d": 0.5}
    assert credits_of(client, "last_non_direct") == {"d": 1.0}


def test_the_session_of_the_order_is_a_touch_whatever_it_is(client: Client) -> None:
    visit(client, "a", 0, "Email", channel="email")
    order(client, "o-1", 0.01)
    assert credits_of(client, "linear") == {"a": 1.0}


def test_touches_on_another_device_of_the_person_known_now_count(client: Client) -> None:
    visit(client, "a", 0, "Newsletter", visitor_id="phone", person_id="x")
    visit(client, "b", 1)
    order(client, "o-1", 1)
    assert credits_of(client, "first") == {"b": 1.0}
    links = [
        {"site": "shop", "visitor_id": visitor, "person_id": "p", "version": 1}
        for visitor in ("ada", "phone")
    ]
    insert_json(client, "identities", [msgspec.json.encode(link) for link in links])
    assert credits_of(client, "first") == {"a": 1.0}


def test_other_people_and_sites_have_no_part_in_it(client: Client) -> None:
    visit(client, "a", 0, visitor_id="bob", person_id="bob")
    visit(client, "b", 0, site="store")
    visit(client, "c", 1)
    order(client, "o-1", 1)
    assert credits_of(client, "first") == {"c": 1.0}


# --- the command --------------------------------------------------------------------------------


def two_orders(client: Client) -> None:
    """Ada: search, newsletter, order. Bob: search, nothing. Cy: newsletter, order in francs."""
    visit(client, "a", 0, "Organic Search")
    visit(client, "b", 1, "Newsletter", traffic_campaign="May")
    order(client, "o-1", 1, 100)
    visit(client, "c", 0, "Organic Search", visitor_id="bob", person_id="bob")
    visit(client, "d", 0, "Newsletter", visitor_id="cy", person_id="cy")
    order(client, "o-2", 0.01, 50, visitor_id="cy", currency="CHF")


def test_markov_counts_also_the_ways_that_led_nowhere(client: Client) -> None:
    # Start: search 2/3, newsletter 1/3. Search: newsletter 1/2, nothing 1/2. Newsletter: order.
    # Whole 2/3. Without search 1/3, a loss of 1/2; without the newsletter a loss of 1.
    two_orders(client)
    assert about({"Organic Search": 2 / 3, "Newsletter": 4 / 3}) == by_value(client, "markov")


@pytest.mark.parametrize("model", MODELS)
def test_credits_sum_to_the_orders_and_to_their_revenue(client: Client, model: Model) -> None:
    two_orders(client)
    five = {"visitor_id": "eve", "person_id": "eve"}
    for day, group in enumerate(("Organic Search", "Direct", "Newsletter", "Direct", "Referral")):
        visit(client, f"e{day}", day, group, **five)
    order(client, "o-3", 4.5, 33.33, visitor_id="eve")
    found = read_attribution(client, EVERYTHING, models=[model]).credits
    assert sum(credit.conversions for credit in found) == pytest.approx(3)
    for currency, revenue in (("EUR", 133.33), ("CHF", 50.0)):
        parts = [credit.revenue for credit in found if credit.currency == currency]
        assert sum(parts) == pytest.approx(revenue)


@pytest.mark.parametrize(
    ("by", "expected"),
    [
        ("channel_group", {"Newsletter": 2.0}),
        ("source", {"newsletter": 2.0}),
        ("campaign", {"May": 1.0, "(not set)": 1.0}),
    ],
)
def test_credit_goes_to_groups_sources_or_campaigns(
    client: Client, by: By, expected: dict[str, float]
) -> None:
    two_orders(client)
    assert expected == by_value(client, "last", by)


@pytest.mark.parametrize("model", MODELS)
def test_only_orders_of_the_span_count_and_the_end_is_not_part_of_it(
    client: Client, model: Model
) -> None:
    two_orders(client)

    def orders(span: Span) -> float:
        found = read_attribution(client, span, models=[model]).credits
        return round(sum(credit.conversions for credit in found), 9)

    assert orders(Span(site="shop", start=at(0), end=at(1))) == 1
    assert orders(Span(site="shop", start=at(1))) == 1
    assert orders(Span(site="shop", start=at(2))) == 0
    assert orders(Span(site="shop")) == 2
    assert orders(Span(site="store")) == 0


def test_a_touch_of_an_order_after_the_span_is_no_way_that_led_nowhere(client: Client) -> None:
    # Ada: search, newsletter, order. Cy: newsletter, order. Bob: newsletter, and an order later.
    # Start: search 1/2, newsletter 1/2; search: newsletter; newsletter: order. Whole 1.
    # Without search a loss of 1/2, without the newsletter of 1. Bob would change it.
    visit(client, "a", 0, "Organic Search")
    visit(client, "b", 1, "Newsletter")
    order(client, "o-1", 1)
    cy = {"visitor_id": "cy", "person_id": "cy"}
    visit(client, "c", 0, "Newsletter", **cy)
    order(client, "o-2", 0, visitor_id="cy")
    bob = {"visitor_id": "bob", "person_id": "bob"}
    visit(client, "d", 0, "Newsletter", **bob)
    visit(client, "e", 9, "Newsletter", **bob)
    order(client, "o-3", 9, visitor_id="bob")
    found = read_attribution(client, Span(site="shop", end=at(2)), models=["markov"]).credits
    assert about({"Organic Search": 2 / 3, "Newsletter": 4 / 3}) == {
        credit.value: credit.conversions for credit in found
    }


def test_no_orders_are_no_credits_and_a_sentence(client: Client) -> None:
    visit(client, "a", 0)
    found = read_attribution(client, EVERYTHING)
    assert found.credits == ()
    assert printed(found) == "no orders in this span"


def printed(found: Any) -> str:
    console = Console(width=140, record=True, file=None, force_terminal=False)
    with console.capture() as capture:
        console.print(render(found))
    return capture.get().strip()


def test_models_stand_side_by_side_and_revenue_by_currency(client: Client) -> None:
    two_orders(client)
    text = printed(read_attribution(client, EVERYTHING, models=["first", "last"]))
    rows = [[cell.strip() for cell in line.split("│")[1:-1]] for line in text.splitlines()]
    assert [row for row in rows if row] == [
        ["Newsletter", "1.00", "2.00"],
        ["Organic Search", "1.00", "0.00"],
        ["Newsletter", "50.00", "50.00"],
        ["Newsletter", "0.00", "100.00"],
        ["Organic Search", "100.00", "0.00"],
    ]


def test_for_machines_every_credit_is_an_object(client: Client) -> None:
    visit(client, "a", 0, "Newsletter")
    order(client, "o-1", 0.01, 80)
    said = msgspec.json.decode(as_json(read_attribution(client, EVERYTHING, models=["last"])))
    assert said["by"] == "channel_group"
    assert said["lookback_days"] == 30
    assert said["credits"] == [
        {
            "model": "last",
            "value": "Newsletter",
            "currency": "EUR",
            "conversions": 1.0,
            "revenue": 80.0,
            "net": 80.0,
        }
    ]


def test_the_command_prints_what_it_is_asked_for(client: Client, engine: EngineServer) -> None:
    two_orders(client)
    where = {
        "TOUCHSTREAM_CLICKHOUSE_URL": engine.url,
        "TOUCHSTREAM_CLICKHOUSE_DATABASE": str(client.database),
    }
    asked = ["--model", "first", "--by", "source", "--to", "2026-05-02", "--format", "json"]
    ran = CliRunner().invoke(main, ["attribution", *asked], env=where)
    assert ran.exit_code == 0, ran.output
    assert msgspec.json.decode(ran.stdout)["credits"] == [
        {
            "model": "first",
            "value": "newsletter",
            "currency": "CHF",
            "conversions": 1.0,
            "revenue": 50.0,
            "net": 50.0,
        }
    ]
    wrong = CliRunner().invoke(main, ["attribution", "--model", "best"], env=where)
    assert wrong.exit_code == 2
    assert "'best' is not one of 'first', 'last'" in wrong.stderr


def test_from_touchpoints_as_they_arrive_to_the_credit(client: Client) -> None:
    """A search, a newsletter, and an order after a silence at the payment provider."""
    shop = "https://shop.example/chairs"
    log = Log()
    for value in (
        touchpoint("c", NOON + 9 * HOUR, url=shop, referrer="https://www.paypal.com/checkout"),
        touchpoint("a", NOON, type="page", url=shop, referrer="https://www.google.com/"),
        touchpoint("b", NOON + 5 * HOUR, url=f"{shop}?utm_source=newsletter&utm_medium=email"),
        touchpoint(
            "d",
            NOON + 9 * HOUR + MINUTE,
            name="Order Completed",
            properties={"order_id": "o-1", "revenue": 80, "currency": "EUR"},
        ),
    ):
        log.say(value)
    live = Worker(log).finish()
    for table in ("touchpoints", "sessions"):
        insert_json(client, table, [msgspec.json.encode(row) for row in live.of(table)])
    groups = (
        "SELECT groupArray(channel_group) FROM (SELECT * FROM sessions FINAL ORDER BY started_at)"
    )
    assert client.query(groups).result_rows == [(["Organic Search", "Newsletter", "Direct"],)]
    assert by_value(client, "first") == {"Organic Search": 1.0}
    assert by_value(client, "last") == {"Direct": 1.0}
    assert by_value(client, "last_non_direct") == {"Newsletter": 1.0}
