"""The report, on cases small enough to count by hand."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from clickhouse_connect.driver.client import Client
from rich.console import Console

from pipeline.reports.overview.answer import (
    FUNNEL,
    Abandoned,
    Buried,
    Funnel,
    PhaseCount,
    Report,
    Revenue,
    Share,
    Uncounted,
    read_report,
)
from pipeline.reports.overview.text import render
from pipeline.reports.span import Span, as_json
from schemas.codec import encode_fact
from schemas.dead_letter import Reason, dead_letter
from schemas.facts import Abandonment, AbandonmentKind, Transition
from schemas.journeys import load_model
from schemas.touchpoint import Touchpoint
from tests.support.database import insert_json, migrated_database, track
from tests.support.engine import EngineServer

NOON = datetime(2025, 3, 1, 12, tzinfo=UTC)
VIEW, CART, CHECKOUT, ORDER = FUNNEL


@pytest.fixture
def client(engine: EngineServer) -> Iterator[Client]:
    with migrated_database(engine) as client:
        yield client


def at(minutes: float) -> datetime:
    return NOON + timedelta(minutes=minutes)


def seen(
    visitor: str, minutes: float, name: str, *, site: str = "shop", **properties: Any
) -> Touchpoint:
    return Touchpoint(
        touchpoint_id=f"{visitor}-{minutes}-{name}",
        site=site,
        type="track",
        name=name,
        channel="shop",
        occurred_at=at(minutes),
        received_at=NOON,
        properties=msgspec.Raw(msgspec.json.encode(properties)),
        anonymous_id=visitor,
    )


def way(visitor: str, *names: str, minutes: float = 0, step: float = 1) -> list[Touchpoint]:
    return [seen(visitor, minutes + step * number, name) for number, name in enumerate(names)]


def transition(person: str, minutes: float, to_phase: str, **other: Any) -> bytes:
    fields: dict[str, Any] = {
        "transition_id": f"{person}-{minutes}-{to_phase}",
        "site": "shop",
        "model": "lifecycle",
        "person_id": person,
        "visitor_id": person,
        "cycle": 1,
        "from_phase": "",
        "to_phase": to_phase,
        "kind": "enter",
        "at": at(minutes),
        "session_id": "s",
        "touchpoint_id": "t",
        "touchpoint_name": VIEW,
        "channel": "shop",
        "rule": "r",
        "seconds_in_previous": 0,
        "kafka_partition": 0,
        "rule_version": "1",
        "version": 1,
        "is_deleted": False,
    }
    return encode_fact(Transition(**(fields | other)))


def abandonment(number: int, kind: AbandonmentKind, value: float, **other: Any) -> bytes:
    fields: dict[str, Any] = {
        "abandonment_id": f"a{number}",
        "site": "shop",
        "model": "lifecycle",
        "kind": kind,
        "person_id": "p",
        "visitor_id": "p",
        "session_id": "s",
        "step": CART,
        "opened_at": NOON,
        "last_touchpoint_at": NOON,
        "last_touchpoint_id": "t",
        "last_path": "/cart",
        "abandoned_at": at(30),
        "items": 1,
        "value": value,
        "currency": "EUR",
        "contents": [],
        "cause": "",
        "cause_touchpoint_id": "",
        "recovered_at": None,
        "recovered_channel": "",
        "recovered_touchpoint_id": "",
        "kafka_partition": 0,
        "rule_version": "1",
        "version": 1,
        "is_deleted": False,
    }
    return encode_fact(Abandonment(**(fields | other)))


# --- money -----------------------------------------------------------------------------------


def test_money_that_does_not_count_is_told_with_its_reason(client: Client) -> None:
    orders = [
        seen("ada", 1, ORDER, order_id="o-1", revenue="1.234,56", currency="eur"),
        seen("ada", 2, ORDER, order_id="o-2", revenue="much", currency="EUR"),
        seen("bob", 3, ORDER, order_id="o-3", revenue=-5, currency="EUR"),
        seen("bob", 4, ORDER, order_id="o-4", revenue=5, currency="as you like"),
        seen("eve", 5, ORDER, order_id="o-5", revenue="1,234", currency="EUR"),
    ]
    track(client, orders)
    report = read_report(client, Span(site="shop"))
    assert report.uncounted_money == tuple(
        Uncounted(ORDER, reason, 1)
        for reason in ("ambiguous", "currency", "negative", "unreadable")
    )
    counted = {revenue.currency: revenue.amount for revenue in report.revenue}
    assert counted == {"EUR": Decimal("1234.56"), "": Decimal(0)}


# --- the funnel ----------------------------------------------------------------------------------


def funnels(client: Client, *touchpoints: list[Touchpoint]) -> tuple[Funnel, Funnel]:
    track(client, [touchpoint for way in touchpoints for touchpoint in way])
    report = read_report(client, Span())
    return report.by_visitor, report.by_session


def test_a_step_without_the_earlier_ones_is_reached_and_neither_closed_nor_ordered(
    client: Client,
) -> None:
    by_visitor, _ = funnels(client, way("a", ORDER), way("b", VIEW, CHECKOUT))
    assert by_visitor.reach == (1, 0, 1, 1)
    assert by_visitor.closed == (1, 0, 0, 0)
    assert by_visitor.ordered == (1, 0, 0, 0)


def test_all_steps_in_another_order_are_closed_and_not_ordered(client: Client) -> None:
    by_visitor, _ = funnels(client, way("a", CART, VIEW, ORDER, CHECKOUT))
    assert by_visitor.closed == (1, 1, 1, 1)
    assert by_visitor.ordered == (1, 0, 0, 0)


def test_other_steps_and_repetitions_between_do_not_break_the_order(client: Client) -> None:
    by_visitor, _ = funnels(
        client, way("a", CART, VIEW, "Other", VIEW, CART, VIEW, CHECKOUT, ORDER)
    )
    assert by_visitor.ordered == (1, 1, 1, 1)


def test_the_ordered_reading_has_no_limit_of_time(client: Client) -> None:
    year = 60 * 24 * 365
    by_visitor, by_session = funnels(client, way("a", *FUNNEL, minutes=-20 * year, step=5 * year))
    assert by_visitor.ordered == (1, 1, 1, 1)
    assert by_session.ordered == (1, 0, 0, 0)


def test_a_millisecond_is_enough_to_be_in_order(client: Client) -> None:
    by_visitor, _ = funnels(
        client,
        [seen("a", 0, VIEW), seen("a", 0.001 / 60, CART)],
        [seen("b", 0.001 / 60, VIEW), seen("b", 0, CART)],
    )
    assert by_visitor.ordered == (2, 1, 0, 0)


def test_a_visitor_counts_over_all_sessions_and_a_session_for_itself(client: Client) -> None:
    by_visitor, by_session = funnels(
        client, way("a", VIEW, CART), way("a", CHECKOUT, ORDER, minutes=600)
    )
    assert by_visitor.ordered == (1, 1, 1, 1)
    assert (by_session.reach, by_session.closed) == ((1, 1, 1, 1), (1, 1, 0, 0))


def test_abandoned_is_a_cart_or_checkout_without_an_order_whatever_their_order(
    client: Client,
) -> None:
    by_visitor, by_session = funnels(
        client,
        way("a", CART),
        way("b", ORDER, CART),
        way("c", CART, CHECKOUT),
        way("c", ORDER, minutes=600),
    )
    assert by_visitor.cart_abandonment == Share(1, 3, 1 / 3)
    assert by_session.cart_abandonment == Share(2, 3, 2 / 3)
    assert by_visitor.checkout_abandonment == Share(0, 1, 0.0)
    assert by_session.checkout_abandonment == Share(1, 1, 1.0)


def test_the_same_visitor_on_two_sites_is_two(client: Client) -> None:
    by_visitor, by_session = funnels(client, [seen("a", 0, VIEW), seen("a", 0, CART, site="other")])
    assert by_visitor.reach == by_session.reach == (1, 1, 0, 0)
    assert by_visitor.closed == (1, 0, 0, 0)


def test_the_steps_are_an_argument_and_do_not_change_abandonment(client: Client) -> None:
    track(client, way("a", CART, "It's special"))
    report = read_report(client, Span(), steps=["It's special", CART])
    assert (report.by_visitor.reach, report.by_visitor.ordered) == ((1, 1), (1, 0))
    assert report.by_visitor.cart_abandonment == Share(1, 1, 1.0)


@pytest.mark.parametrize("steps", [[], [VIEW, VIEW], [f"Step {number}" for number in range(33)]])
def test_a_funnel_has_1_to_32_different_steps(client: Client, steps: list[str]) -> None:
    with pytest.raises(ValueError, match="1 to 32 different steps"):
        read_report(client, Span(), steps=steps)


def test_32_steps_are_not_too_many(client: Client) -> None:
    steps = [f"Step {number}" for number in range(32)]
    track(client, way("a", *steps))
    assert read_report(client, Span(), steps=steps).by_visitor.ordered == (1,) * 32


# --- orders --------------------------------------------------------------------------------------


def revenue(client: Client, *touchpoints: Touchpoint) -> tuple[Revenue, ...]:
    track(client, touchpoints)
    return read_report(client, Span()).revenue


def whole_revenue(currency: str, orders: int, amount: str, touchpoints: int) -> Revenue:
    """Give revenue of which nothing went back."""
    money = Decimal(amount)
    return Revenue(currency, orders, money, touchpoints, Decimal(0), money)


def test_an_order_counts_once_with_its_first_revenue(client: Client) -> None:
    orders = [
        seen("b", 1, ORDER, order_id="1", revenue=99.0),
        seen("a", 0, ORDER, order_id="1", revenue=10.25),
        seen("a", 2, ORDER, order_id="2", revenue="5.50"),
    ]
    assert revenue(client, *orders) == (whole_revenue("", 2, "15.75", 3),)


def test_orders_without_an_id_are_orders_of_their_own(client: Client) -> None:
    orders = [seen("a", 0, ORDER, revenue=1), seen("a", 1, ORDER, revenue=2)]
    assert revenue(client, *orders) == (whole_revenue("", 2, "3.00", 2),)


def test_currencies_are_not_added_and_sites_have_order_ids_of_their_own(client: Client) -> None:
    orders = [
        seen("a", 0, ORDER, order_id="1", revenue=1, currency="EUR"),
        seen("a", 1, ORDER, order_id="1", revenue=2, currency="EUR", site="other"),
        seen("a", 2, ORDER, order_id="2", revenue=4, currency="USD"),
    ]
    assert revenue(client, *orders) == (
        whole_revenue("EUR", 2, "3.00", 2),
        whole_revenue("USD", 1, "4.00", 1),
    )


# --- what the tracker found ----------------------------------------------------------------------


def test_a_person_is_in_the_phase_of_the_last_transition_that_still_stands(client: Client) -> None:
    insert_json(
        client,
        "transitions",
        [
            transition("a", 0, "awareness"),
            transition("a", 5, "purchase"),
            transition("b", 0, "awareness"),
            transition("b", 5, "purchase", is_deleted=False),
            transition("b", 5, "purchase", is_deleted=True, version=2),
            transition("c", 0, "own_phase", model="own"),
        ],
    )
    report = read_report(client, Span(), models=[load_model("lifecycle")])
    assert report.phases == (
        PhaseCount("lifecycle", "awareness", "Awareness", "Aufmerksamkeit", 1),
        PhaseCount("lifecycle", "purchase", "Purchase", "Kauf", 1),
        PhaseCount("own", "own_phase", "own_phase", "own_phase", 1),
    )


def test_of_two_transitions_at_once_the_one_of_the_later_turn_counts(client: Client) -> None:
    rows = [
        transition("a", 0, "purchase", turn=2, version=7),
        transition("a", 0, "awareness", turn=1, version=8),
    ]
    insert_json(client, "transitions", rows)
    assert [phase.phase for phase in read_report(client, Span()).phases] == ["purchase"]


def test_phases_are_those_at_the_end_of_the_span_whenever_they_began(client: Client) -> None:
    rows = [transition("a", 0, "awareness"), transition("a", 50, "purchase")]
    insert_json(client, "transitions", rows)
    report = read_report(client, Span(start=at(10), end=at(50)))
    assert [phase.phase for phase in report.phases] == ["awareness"]


def test_abandonments_are_counted_by_kind_with_what_was_at_stake(client: Client) -> None:
    insert_json(
        client,
        "abandonments",
        [
            abandonment(1, "cart", 10.5),
            abandonment(2, "cart", 20, recovered_at=at(90), recovered_channel="email"),
            abandonment(3, "checkout", 5),
            abandonment(4, "checkout", 99),
            abandonment(4, "checkout", 99, is_deleted=True, version=2),
        ],
    )
    assert read_report(client, Span()).abandoned == (
        Abandoned("cart", "EUR", 2, 1, Decimal("30.50")),
        Abandoned("checkout", "EUR", 1, 0, Decimal("5.00")),
    )


def test_dead_letters_are_counted_by_reason_and_a_repeated_one_once(client: Client) -> None:
    letters = [
        encode_fact(
            dead_letter(
                b"{",
                site="shop",
                stage="import",
                reason=reason,
                detail="",
                source="a.csv",
                position=position,
                at=NOON,
            )
        )
        for position, reason in enumerate([Reason.NOT_JSON, Reason.NO_VISITOR_ID, Reason.NOT_JSON])
    ]
    insert_json(client, "dead_letters", letters)
    insert_json(client, "dead_letters", letters[:2])
    expected = (Buried("import", "not_json", 2), Buried("import", "no_visitor_id", 1))
    assert read_report(client, Span()).dead_letters == expected


# --- the whole -----------------------------------------------------------------------------------


def test_nothing_yet_is_zero_everywhere_and_no_rate_is_made_of_it(client: Client) -> None:
    report = read_report(client, Span())
    nothing = (0, 0, 0, 0)
    assert (report.touchpoints, report.visitors, report.people, report.sessions) == nothing
    assert report.by_visitor.reach == report.by_session.ordered == nothing
    assert report.by_visitor.cart_abandonment == Share(0, 0, None)
    assert (report.revenue, report.orders) == ((), 0)


def test_the_span_takes_its_start_and_not_its_end_and_one_site(client: Client) -> None:
    track(
        client,
        [seen("a", minutes, VIEW) for minutes in (-0.001, 0, 59.999, 60)]
        + [seen("b", 1, VIEW, site="other")],
    )

    def visitors(**span: Any) -> tuple[int, int]:
        report = read_report(client, Span(**span))
        return report.touchpoints, report.by_visitor.reach[0]

    assert visitors(start=at(0), end=at(60)) == (3, 2)
    assert visitors(site="shop", start=at(0), end=at(60)) == (2, 1)
    assert visitors(site="nobody") == (0, 0)


def test_late_touchpoints_are_named_and_are_in_no_funnel(client: Client) -> None:
    track(client, way("a", VIEW))
    client.command(
        "INSERT INTO touchpoints SELECT * REPLACE ('late' AS touchpoint_id, true AS is_late, "
        "'Product Added' AS name) FROM touchpoints"
    )
    report = read_report(client, Span())
    assert (report.touchpoints, report.late, report.by_visitor.reach) == (2, 1, (1, 0, 0, 0))


def small_report(client: Client) -> Report:
    track(client, [*way("a", *FUNNEL[:3]), seen("a", 5, ORDER, revenue=1234.5, currency="EUR")])
    insert_json(client, "transitions", [transition("a", 0, "purchase")])
    return read_report(client, Span(site="shop", start=NOON), models=[load_model("lifecycle")])


def test_the_report_for_machines_has_numbers_as_numbers(client: Client) -> None:
    said = msgspec.json.decode(as_json(small_report(client)))
    assert said["span"]["start"] == "2025-03-01T12:00:00Z"
    money = {"currency": "EUR", "orders": 1, "amount": 1234.5, "touchpoints": 1}
    assert said["revenue"] == [money | {"refunded": 0.0, "net": 1234.5}]
    assert said["by_session"]["cart_abandonment"] == {"part": 0, "whole": 1, "ratio": 0.0}


def test_the_report_for_people_names_what_it_counts_and_leaves_out_what_is_empty(
    client: Client,
) -> None:
    console = Console(width=100)
    with console.capture() as capture:
        console.print(render(small_report(client)))
    lines = [line.replace("│", "").split() for line in capture.get().splitlines()]
    assert lines[0] == ["shop,", "from", "2025-03-01", "12:00", "UTC"]
    assert ["Order", "Completed", "1", "1", "1"] in lines
    assert ["cart", "visitor", "0", "1", "0.00", "%"] in lines
    assert ["1", "1", "1,234.50", "0.00", "1,234.50", "EUR"] in lines
    assert ["lifecycle", "Purchase", "1"] in lines
    with console.capture() as capture:
        console.print(render(small_report(client), "de"))
    german = [line.replace("│", "").split() for line in capture.get().splitlines()]
    assert ["lifecycle", "Kauf", "1"] in german
    assert ["Dead", "letters"] not in lines
