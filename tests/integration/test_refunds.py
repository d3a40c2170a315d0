"""What goes back comes off the order it names, and one rule says which orders count, everywhere."""

# ruff: noqa: S311, S608 - our own text; chance is enough

from collections.abc import Iterator
from decimal import Decimal
from random import Random
from typing import Any

import msgspec
import pytest
from clickhouse_connect.driver.client import Client
from msgspec.structs import replace
from rich.console import Console

from pipeline.operations.rebuild.tables import fill_sets
from pipeline.reports.attribution.answer import read_attribution
from pipeline.reports.live.people import Behind, read_people
from pipeline.reports.live.person import read_person
from pipeline.reports.live.traffic import read_traffic
from pipeline.reports.live.view import View
from pipeline.reports.overview.answer import LeftOut, Revenue, read_report
from pipeline.reports.overview.text import render
from pipeline.reports.span import Span
from schemas.touchpoint import Touchpoint
from tests.support.database import migrated_database, track_fully
from tests.support.engine import EngineServer
from tests.support.stories import at as minute
from tests.support.stories import whole

SHOP = Span(site="shop")
BOT = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"
CRAWLED = {"user_agent": BOT}


@pytest.fixture(scope="module")
def migrated(engine: EngineServer) -> Iterator[Client]:
    with migrated_database(engine) as client:
        yield client


@pytest.fixture
def client(migrated: Client) -> Client:
    for table in ("touchpoints", "order_touchpoints", "sessions", "bot_sessions", "identities"):
        migrated.command(f"TRUNCATE TABLE {table}")
    return migrated


def told(visitor: str, minutes: float, name: str, **said: Any) -> Touchpoint:
    """Make a touchpoint; what is not a property of it is named in `about`."""
    about = said.pop("about", {})
    return Touchpoint(
        touchpoint_id=said.pop("id", f"{visitor}-{minutes}-{name}"),
        site="shop",
        type="track",
        name=name,
        channel="shop",
        occurred_at=minute(minutes),
        received_at=minute(minutes),
        properties=msgspec.Raw(msgspec.json.encode(said)),
        anonymous_id=visitor,
        **about,
    )


def bought(visitor: str, minutes: float, id_: str, amount: object = 100, **more: Any) -> Touchpoint:
    said = {"order_id": id_, "revenue": amount, "currency": "EUR"} | more
    return told(visitor, minutes, "Order Completed", **said)


def back(minutes: float, id_: str, name: str = "Order Refunded", **said: Any) -> Touchpoint:
    """Give money back: the shop's server tells it, as a visitor of its own."""
    return told("server", minutes, name, order_id=id_, **said)


def revenue(client: Client, *touchpoints: Touchpoint) -> tuple[Revenue, ...]:
    track_fully(client, touchpoints)
    return read_report(client, SHOP).revenue


def money(gross: float, refunded: float, orders: int = 1, currency: str = "EUR") -> Revenue:
    amounts = (Decimal(f"{amount:.2f}") for amount in (gross, refunded, gross - refunded))
    whole_, off, net = amounts
    return Revenue(currency, orders, whole_, orders, off, net)


REFUNDS: tuple[tuple[float, list[dict[str, Any]]], ...] = (
    (0, []),
    (100, [{}]),
    (30, [{"total": 30}]),
    (30, [{"total": -30}]),
    (50, [{"total": 30}, {"total": "20,00 €"}]),
    (100, [{"total": 30}, {}]),
    (100, [{"total": 80}, {"total": 80}]),
    (30, [{"total": 30, "currency": "EUR"}]),
    (0, [{"total": 30, "currency": "USD"}]),
    (30, [{"total": 30, "refund_id": "r-1"}, {"total": 30, "refund_id": "r-1"}]),
    (60, [{"total": 30, "refund_id": "r-1"}, {"total": 30, "refund_id": "r-2"}]),
    (30, [{"products": [{"product_id": "p", "price": 15, "quantity": 2}]}]),
    (0, [{"total": "half"}]),
    (100, [{"name": "Order Cancelled"}]),
    (100, [{"name": "Order Cancelled", "total": 1}]),
)
"""What goes back of an order of 100, and what is said of it."""


def test_what_goes_back_comes_off_the_order_it_names(client: Client) -> None:
    for number, (_, said) in enumerate(REFUNDS):
        id_ = f"o-{number}"
        given = [back(60 * (number + 1) + n, id_, **one) for n, one in enumerate(said)]
        track_fully(client, [bought(f"visitor-{number}", number, id_), *given])
    refunded = {f"o-{number}": off for number, (off, _) in enumerate(REFUNDS)}
    found = client.query(f"SELECT order_id, refunded FROM {whole('conversions')}").result_rows
    assert {order: float(off) for order, off in found} == refunded
    count, off = len(refunded), sum(refunded.values())
    gross, net = 100 * count, 100 * count - off
    assert read_report(client, SHOP).revenue == (money(gross, off, count),)
    for model in ("last", "markov"):
        given_ = [c for c in read_attribution(client, SHOP).credits if c.model == model]
        assert round(sum(c.revenue for c in given_), 6) == gross
        assert round(sum(c.net for c in given_), 6) == net
    kpi = f"SELECT value FROM {whole('kpis', kpi='customer_lifetime_value')}"
    [(value,)] = client.query(kpi).result_rows
    assert value == pytest.approx(net / count)
    asked = f"SELECT orders, amount, refunded, net FROM {whole('orders_by_currency')}"
    assert client.query(asked).result_rows == [(count, gross, off, net)]


def test_a_refund_that_takes_nothing_off_is_named_with_the_reason(client: Client) -> None:
    touchpoints = [
        bought("ada", 0, "o-1"),
        back(1, "", total=1),
        back(2, "o-9", total=2, currency="EUR"),
        back(3, "o-1", total=4, currency="USD"),
        told("crawler", 4, "Order Refunded", order_id="o-1", total=8, about=CRAWLED),
    ]
    assert revenue(client, *touchpoints) == (money(100, 0),)
    assert read_report(client, SHOP).left_out == (
        LeftOut("refund", "bot", 1, "", Decimal(8)),
        LeftOut("refund", "names no order", 1, "", Decimal(1)),
        LeftOut("refund", "other currency", 1, "USD", Decimal(4)),
        LeftOut("refund", "unknown order", 1, "EUR", Decimal(2)),
    )


def test_the_refund_of_an_order_counts_in_the_span_of_the_order(client: Client) -> None:
    track_fully(client, [bought("ada", 0, "o-1"), back(600, "o-1", total=40)])
    first = Span(site="shop", start=minute(-1), end=minute(1))
    later = Span(site="shop", start=minute(1), end=minute(900))
    assert read_report(client, first).revenue == (money(100, 40),)
    assert read_report(client, later).revenue == ()


def test_a_source_has_gross_and_net_and_neither_in_several_currencies(client: Client) -> None:
    asked = f"SELECT amount, net, currencies FROM {whole('visits_by', by='channel')}"
    track_fully(client, [bought("ada", 0, "o-1"), back(600, "o-1", total=40)])
    assert client.query(asked).result_rows == [(100, 60, "EUR")]
    track_fully(client, [bought("bob", 0, "o-2"), bought("bob", 1, "o-3", currency="USD")])
    assert client.query(asked).result_rows == [(None, None, "mixed, EUR")]


def test_late_orders_and_those_of_bots_count_nowhere_and_the_report_names_them(
    client: Client,
) -> None:
    days = 60 * 24
    touchpoints = [
        bought("ada", 9 * days, "o-1"),
        bought("bob", 0, "o-2", 20),  # nine days behind
        bought("crawler", 9 * days, "o-3", 30, about=CRAWLED),
        told("spammer", 9 * days, "Page Viewed", about=CRAWLED),
        bought("spammer", 9 * days + 1, "o-4", 40),  # in the visit of a bot
        bought("bob", 1, "o-1", 1),  # late, of an order that counts
    ]
    track_fully(client, touchpoints)
    report = read_report(client, SHOP)
    assert report.revenue == (money(100, 0),)
    assert report.left_out == (
        LeftOut("order", "bot", 2, "EUR", Decimal(70)),
        LeftOut("order", "late", 1, "EUR", Decimal(20)),
    )
    assert (report.touchpoints, report.late, report.bots) == (6, 2, 2)
    assert (report.visitors, report.sessions, report.people) == (2, 1, 1)
    for question in ("orders_in", "conversions", "purchases", "customers_of"):
        found = client.query(f"SELECT order_id FROM {whole(question)}").result_rows
        assert found == [("o-1",)], question
    assert client.query(f"SELECT sum(orders) FROM {whole('visits')}").result_rows == [(1,)]


def sums(client: Client, statement: str) -> dict[str, tuple[int, float]]:
    rows = client.query(statement).result_rows
    return {str(currency): (int(orders), float(amount)) for currency, orders, amount in rows}


def afternoon(random: Random) -> Iterator[Touchpoint]:
    """Some visitors tell of some orders, each of several, at any time, now and then as bots."""
    paid = {f"o-{number}": random.choice(["EUR", "USD", ""]) for number in range(12)}
    days = sorted(random.randrange(60 * 24 * 9) for _ in range(60))
    for number, minutes in enumerate(days):
        visitor, id_ = random.choice("abcdef"), random.choice([*paid, ""])
        about = CRAWLED if random.random() < 0.1 else {}
        more = {"id": f"t-{number}", "currency": paid.get(id_, "EUR"), "about": about}
        yield bought(visitor, minutes, id_, random.randrange(100), **more)


@pytest.mark.parametrize("copies", [(True, False), (False, True), (True, True, False)])
def test_what_is_made_of_touchpoints_anew_is_made_of_the_last_copy_of_each(
    client: Client, copies: tuple[bool, ...]
) -> None:
    orders = [bought(f"v{number}", number, f"o-{number}") for number in range(20)]
    track_fully(client, orders)
    [*columns] = client.query("SELECT * FROM touchpoints LIMIT 0").column_names
    others = ", ".join(name for name in columns if name not in ("is_late", "precedence"))
    for is_late in copies:  # as a rebuild tells it again, at the same place in the log
        client.command(
            f"INSERT INTO touchpoints ({others}, is_late) "
            f"SELECT {others}, {is_late} FROM touchpoints FINAL"
        )
    fill_sets(client, "shop")
    assert read_report(client, SHOP).orders == (0 if copies[-1] else 20)


@pytest.mark.parametrize("seed", range(3))
def test_sums_over_visits_are_those_of_conversions_in_each_currency(
    client: Client, seed: int
) -> None:
    track_fully(client, afternoon(Random(seed)))
    told_twice = "SELECT count() FROM (SELECT order_id FROM order_touchpoints WHERE order_id != '' "
    told_twice += "GROUP BY order_id HAVING uniqExact(visitor_id) > 1)"
    assert client.query(told_twice).result_rows[0][0] > 3
    by_currency = "SELECT currency, {count}, sum(revenue) FROM {view} GROUP BY currency"
    conversions = sums(client, by_currency.format(count="count()", view=whole("conversions")))
    visits = sums(client, by_currency.format(count="sum(orders)", view=whole("visits")))
    report = read_report(client, SHOP).revenue
    assert {each.currency: (each.orders, float(each.amount)) for each in report} == conversions
    # The number of orders also where a visit has several currencies, which are not added.
    assert sum(orders for orders, _ in visits.values()) == sum(n for n, _ in conversions.values())
    if "mixed" not in visits:
        visits = {one: told for one, told in visits.items() if told[0]}
        assert visits == conversions


def test_an_order_that_browser_and_server_tell_counts_in_one_visit(client: Client) -> None:
    browser, server = (
        bought("ada", 0, "o-1"),
        told(
            "",
            1,
            "Order Completed",
            order_id="o-1",
            revenue=100,
            currency="EUR",
            about={"user_id": "42"},
        ),
    )
    track_fully(client, [browser, server])
    counted = f"SELECT visitor_id, orders, revenue FROM {whole('visits')} ORDER BY visitor_id"
    assert client.query(counted).result_rows == [("ada", 1, 100), ("user:42", 0, 0)]


def test_the_live_page_counts_an_order_that_two_visitors_of_a_person_tell_once(
    client: Client,
) -> None:
    is_42 = {"user_id": "42"}
    page = replace(told("ada", 0, "Page Viewed", about=is_42), type="page")
    server = told("", 2, "Order Completed", order_id="o-1", revenue=100, about=is_42)
    track_fully(client, [page, bought("ada", 1, "o-1"), server])
    view = View(site="shop", start=minute(-60), end=minute(60))
    [somebody] = read_people(client, view, Behind(of="orders")).people
    assert (somebody.sessions, somebody.orders, somebody.revenue) == (2, 1, 100.0)
    person = read_person(client, view, somebody.person_id)
    assert sorted(visit.orders for visit in person.visits) == [0, 1]
    assert sum(visit.revenue for visit in person.visits) == Decimal(100)
    [source] = [row for row in read_traffic(client, view) if row.dimension == "source"]
    assert (source.visits, source.orders) == (1, 1)


def test_the_report_shows_gross_and_net_and_what_it_leaves_out(client: Client) -> None:
    track_fully(client, [bought("ada", 0, "o-1"), back(5, "o-1", total=30), back(6, "", total=1)])
    console = Console(width=100)
    with console.capture() as capture:
        console.print(render(read_report(client, SHOP)))
    lines = [line.replace("│", "").split() for line in capture.get().splitlines()]
    assert ["1", "1", "100.00", "30.00", "70.00", "EUR"] in lines
    assert ["refund", "names", "no", "order", "1", "1.00", "unknown"] in lines
