"""Weak points, minimum standards, inventory and channels, on stories to count by hand."""

# ruff: noqa: S608 - no text but our own.

from collections.abc import Iterator

import pytest
from clickhouse_connect.driver.client import Client

from tests.support.engine import EngineServer
from tests.support.stories import (
    DAY,
    at,
    give_up,
    library,
    move,
    order,
    rows,
    seen,
    visit,
    whole,
    write,
)


@pytest.fixture
def client(engine: EngineServer) -> Iterator[Client]:
    with library(engine) as client:
        yield client


# --- weak points ---------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def weak(engine: EngineServer) -> Iterator[Client]:
    """Four see the cart: one leaves it, one complains by phone, two go on to the checkout."""
    with library(engine) as client:
        for person in ("ann", "ben", "cid", "dan"):
            visit(client, person, seen(0, "Product Added", path="/cart"))
            move(client, person, 0, "purchase", kind="enter")
        give_up(client, "ann", "cart", "Product Added", last_path="/cart")
        visit(client, "ben", seen(60, "Complaint Made", "phone", waiting_seconds=90))
        visit(client, "cid", seen(5, "Checkout Started", path="/checkout"))
        visit(client, "cid", seen(2 * DAY, "Support Contacted", "phone"))
        move(client, "cid", DAY, "service")
        visit(client, "dan", seen(5, "Checkout Started", path="/checkout"))
        noted = {"phase": "purchase", "touchpoint": "Checkout Started", "department": "IT"}
        visit(client, "till", seen(7, "Feedback Noted", "store", text="too long", **noted))
        crawled = seen(0, "Product Added", path="/cart")
        visit(client, "bot", crawled, seen(1, "Complaint Made"), is_bot=True)
        move(client, "bot", 0, "purchase", session_id="bot 0")
        give_up(client, "bot", "cart", "Product Added", last_path="/cart", session_id="bot 0")
        yield client


COUNTS = "people, abandonments, support_contacts, complaints, feedback, seconds_lost, score"


def weak_points(client: Client, kind: str) -> dict[str, tuple[object, ...]]:
    found = client.query(
        f"SELECT place, {COUNTS} FROM {whole('weak_points')} WHERE kind = {{kind:String}}",
        parameters={"kind": kind},
    ).result_rows
    return {place: tuple(counts) for place, *counts in found}


def test_a_page_is_weak_by_what_ended_there_and_by_the_complaint_of_the_day(weak: Client) -> None:
    assert weak_points(weak, "page") == {
        # 600 s went into the cart that was left, 90 s into waiting on the phone.
        "/cart": (4, 1, 0, 1, 0, 690, 50.0),
        "/checkout": (2, 0, 0, 0, 0, 0, 0.0),
    }


def test_a_call_for_help_two_days_later_is_of_no_step_and_no_page(weak: Client) -> None:
    steps = weak_points(weak, "step")
    assert sum(int(str(counts[2])) for counts in steps.values()) == 0


def test_feedback_of_staff_counts_where_it_says_and_not_as_a_person(weak: Client) -> None:
    assert weak_points(weak, "step") == {
        "Product Added": (4, 1, 0, 1, 0, 690, 50.0),
        "Checkout Started": (2, 0, 0, 0, 1, 0, 50.0),
    }


def test_of_a_numbered_step_or_a_field_all_count_who_came_there(client: Client) -> None:
    """Not only those who gave up: a step that all others passed has not lost everybody."""
    for number, person in enumerate(("ann", "ben", "cid", "dan")):
        first = seen(1, "Checkout Step Viewed", step=1)
        second = seen(2, "Checkout Step Viewed", step=" 2" if number else 2)
        visit(client, person, *((first, second) if number < 3 else (first,)))
        visit(client, person, seen(5, "Form Started", form="contact", field="name"))
        visit(client, person, seen(6, "Form Started", field="mail"))
    give_up(client, "ann", "checkout", "Checkout Step Viewed 2")
    give_up(client, "dan", "checkout", "Checkout Step Viewed 1")
    give_up(client, "ben", "form", "contact.phone")
    give_up(client, "cid", "form", "mail", abandonment_id="cid mail")
    give_up(client, "cid", "newsletter", "Unsubscribed")
    give_up(client, "dan", "journey", "purchase")
    found = {place: counts[:2] for place, counts in weak_points(client, "step").items()}
    assert {place: counts for place, counts in found.items() if counts[1]} == {
        "Checkout Step Viewed 1": (4, 1),
        "Checkout Step Viewed 2": (3, 1),
        "contact.phone": (4, 1),
        "mail": (4, 1),
    }


def test_a_phase_is_weak_by_what_happened_in_it(weak: Client) -> None:
    assert weak_points(weak, "phase") == {
        "purchase": (4, 1, 0, 1, 1, 690, 75.0),
        "service": (1, 0, 1, 0, 0, 0, 100.0),
    }


def test_the_weakest_place_has_rank_1_and_another_one_by_time(weak: Client) -> None:
    ranks = f"SELECT place, rank, rank_by_time FROM {whole('weak_points')} WHERE kind = 'phase'"
    assert rows(weak, f"{ranks} ORDER BY rank") == [("service", 1, 2), ("purchase", 2, 1)]


def test_feedback_of_staff_is_counted_by_department_without_its_words(weak: Client) -> None:
    assert rows(weak, f"SELECT * FROM {whole('staff_feedback')}") == [
        ("IT", "purchase", "Checkout Started", 1, at(7))
    ]


# --- phases and minimum standards ----------------------------------------------------------------


def limit(client: Client, phase: str, seconds: int) -> None:
    write(
        client,
        "journey_models",
        {"model": "lifecycle", "phase": phase, "max_seconds": seconds, "revision": 9},
    )


def test_a_stay_lasts_until_the_next_phase_and_the_last_one_goes_on(client: Client) -> None:
    move(client, "ann", 0, "awareness", kind="enter")
    move(client, "ann", 10, "consideration")
    move(client, "ann", 30, "awareness", kind="back")
    visit(client, "ann", seen(0, "Page Viewed"))
    stays = f"SELECT phase, left_at, next_phase, moved_on FROM {whole('stays_in')}"
    assert rows(client, f"{stays} ORDER BY entered_at") == [
        ("awareness", at(10), "consideration", True),
        ("consideration", at(30), "awareness", False),
        ("awareness", None, "", False),
    ]


def test_a_touchpoint_is_in_a_phase_of_every_model_that_the_person_has_begun(
    client: Client,
) -> None:
    visit(client, "ann", seen(0, "Page Viewed"), seen(5, "Support Contacted"))
    move(client, "ann", 0, "awareness", kind="enter")
    aida = {"model": "aida", "transition_id": "ann aida"}
    move(client, "ann", 5, "interest", kind="enter", **aida)
    for model, found, weak in (
        ("aida", [("interest", "Support Contacted")], [("interest", 1, 1)]),
        (
            "lifecycle",
            [("awareness", "Page Viewed"), ("awareness", "Support Contacted")],
            [("awareness", 1, 1)],
        ),
    ):
        touched = f"SELECT phase, name FROM {whole('phase_touchpoints', model=model)} ORDER BY name"
        assert rows(client, touched) == found
        places = f"SELECT place, people, support_contacts FROM {whole('weak_points', model=model)}"
        assert rows(client, f"{places} WHERE kind = 'phase'") == weak


def test_a_phase_breaks_its_standard_when_it_lasts_longer_and_not_when_it_lasts_as_long(
    client: Client,
) -> None:
    limit(client, "awareness", 600)
    for person, minutes in (("ann", 10.0), ("ben", 11.0)):
        move(client, person, 0, "awareness", kind="enter")
        move(client, person, minutes, "consideration")
    assert rows(client, f"SELECT * FROM {whole('breaches_in')} WHERE place = 'awareness'") == [
        ("phase", "awareness", "ben", at(10), 660, 600, False)
    ]


def test_a_phase_that_goes_on_breaks_its_standard_too(client: Client) -> None:
    limit(client, "service", 3600)
    move(client, "ann", 0, "service", kind="enter")
    found = f"SELECT place, person_id, at, is_open FROM {whole('breaches_in')}"
    assert rows(client, found) == [("service", "ann", at(60), True)]


def test_waiting_breaks_the_standard_of_its_channel_alone(client: Client) -> None:
    phone = {"model": "lifecycle", "channel": "phone", "max_seconds": 60, "revision": 9}
    write(client, "journey_waits", phone)
    visit(
        client,
        "ann",
        seen(0, "Support Contacted", "phone", waiting_seconds=60),
        seen(1, "Support Contacted", "chat", waiting_seconds=100),
        seen(2, "Support Contacted", "phone", waiting_seconds=90),
    )
    found = f"SELECT kind, place, at, seconds, max_seconds FROM {whole('breaches_in')}"
    assert rows(client, found) == [("wait", "phone", at(1.5), 90, 60)]


def test_a_slow_page_made_people_wait_until_its_largest_element_was_there(client: Client) -> None:
    visit(client, "ann", seen(0, "Page Slow", "website", "/", lcp_ms=5200), seen(1, "Page Viewed"))
    assert rows(client, f"SELECT channel, name, round(seconds, 3) FROM {whole('waits')}") == [
        ("website", "Page Slow", 5.2)
    ]


def test_the_wait_for_an_order_ends_with_its_arrival(client: Client) -> None:
    visit(client, "ann", order(0, "o1", 10), seen(90, "Order Delivered", "delivery", order_id="o1"))
    visit(client, "ben", seen(5, "Order Picked Up", "store", order_id="unknown"))
    assert rows(client, f"SELECT * FROM {whole('waits')}") == [
        ("ann", "delivery", "Order Delivered", at(90), 5400)
    ]


# --- inventory -----------------------------------------------------------------------------------


def test_the_inventory_counts_a_touchpoint_once_however_often_it_is_inserted(
    client: Client,
) -> None:
    visit(client, "ann", seen(0, "Product Viewed"), seen(9, "Product Viewed"))
    visit(client, "ann", seen(0, "Product Viewed"))
    visit(client, "ben", seen(5, "Product Viewed", "website"))
    visit(client, "bot", seen(99, "Product Viewed"), is_bot=True)
    found = "SELECT name, channel, first_seen, last_seen, touchpoints, visitors FROM inventory"
    assert rows(client, f"{found} ORDER BY channel") == [
        ("Product Viewed", "shop", at(0), at(9), 2, 1),
        ("Product Viewed", "website", at(5), at(5), 1, 1),
    ]


def test_the_inventory_names_the_phases_a_touchpoint_may_be_evidence_for(client: Client) -> None:
    visit(client, "ann", seen(0, "Product Viewed"), seen(1, "Dance Seen"))
    lifecycle = {"model": "lifecycle"}
    assert rows(client, "SELECT name, phases, is_declared FROM inventory ORDER BY name") == [
        ("Dance Seen", [], False),
        ("Product Viewed", [lifecycle | {"phase": p} for p in ("consideration", "loyalty")], True),
    ]


def test_declared_and_silent_and_seen_and_undeclared_are_gaps(client: Client) -> None:
    visit(client, "ann", seen(0, "Dance Seen", "store"), seen(0, "Product Viewed"))
    gaps = "SELECT gap, model, name, channels FROM inventory_gaps WHERE name IN"
    names = "('Dance Seen', 'Product Viewed', 'Cart Viewed') ORDER BY gap, name, phase"
    assert rows(client, f"{gaps} {names}") == [
        ("silent", "lifecycle", "Cart Viewed", []),
        ("silent", "lifecycle", "Cart Viewed", []),
        ("undeclared", "", "Dance Seen", ["store"]),
    ]


# --- channels ------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def channels(engine: EngineServer) -> Iterator[Client]:
    """Ann goes all the way to the store; Ben stops in the shop; Cid never leaves the newsletter."""
    with library(engine) as client:
        visit(
            client,
            "ann",
            seen(0, "Email Link Clicked", "newsletter"),
            seen(1, "Page Viewed", "website"),
            seen(2, "Page Viewed", "website"),
            seen(5, "Product Viewed", "shop"),
            order(6, "o1", 10),
            seen(126, "Order Picked Up", "store", order_id="o1"),
        )
        visit(
            client,
            "ben",
            seen(0, "Email Link Clicked", "newsletter"),
            seen(3, "Page Viewed", "website"),
            seen(4, "Product Viewed", "shop"),
        )
        visit(client, "cid", seen(0, "Email Opened", "newsletter"))
        visit(client, "bot", seen(0, "Email Opened", "newsletter"), seen(1, "Page"), is_bot=True)
        yield client


def test_channel_to_channel_has_people_time_between_and_losses(channels: Client) -> None:
    found = f"SELECT * FROM {whole('channel_changes')} ORDER BY from_channel, to_channel"
    assert rows(channels, found) == [
        ("", "newsletter", 3, 3, None, 1),
        ("newsletter", "website", 2, 2, 180, 0),  # of 60 and 180 s the upper one
        ("shop", "store", 1, 1, 7200, 0),
        ("website", "shop", 2, 2, 180, 1),  # of 180 s, from the last page, and 60 s
    ]


def test_visitors_who_are_one_person_now_change_channel_together(client: Client) -> None:
    visit(client, "phone-1", seen(0, "Phone Call Received", "phone"))
    visit(client, "browser-1", seen(10, "Page Viewed", "website"))
    for visitor in ("phone-1", "browser-1"):
        write(client, "identities", {"visitor_id": visitor, "person_id": "ann", "version": 1})
    found = "SELECT person_id, from_channel, to_channel FROM"
    found = f"{found} {whole('channel_crossings')} ORDER BY arrived_at"
    assert rows(client, found) == [("ann", "", "phone"), ("ann", "phone", "website")]


def test_every_person_without_an_order_is_lost_in_the_channel_of_the_last_touchpoint(
    channels: Client,
) -> None:
    found = f"SELECT to_channel, sum(lost) FROM {whole('channel_changes')} GROUP BY to_channel"
    assert dict(rows(channels, found)) == {"newsletter": 1, "website": 0, "shop": 1, "store": 0}


def test_the_way_from_the_newsletter_to_the_pick_up_in_the_store_is_a_path(
    channels: Client,
) -> None:
    found = f"SELECT path, people, buyers, median_seconds FROM {whole('channel_paths')}"
    found += " ORDER BY length(path)"
    assert rows(channels, found) == [
        (["newsletter"], 1, 0, 0),
        (["newsletter", "website", "shop"], 1, 0, 240),
        (["newsletter", "website", "shop", "store"], 1, 1, 7560),
    ]
