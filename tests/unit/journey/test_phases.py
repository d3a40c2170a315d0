"""Which phase a touchpoint is evidence for, and whether the journey moves there."""

from datetime import timedelta

import pytest

from pipeline.journey.phases import matching_rule, movement
from pipeline.journey.rules import compile_rules, scalar
from pipeline.journey.sessions import open_session
from pipeline.journey.state import Cursor, Evidence, Journey, Past, identifier
from schemas.facts import Transition
from schemas.journeys import JourneyModel
from tests.support.journeys import (
    DAY,
    HOUR,
    MINUTE,
    RULES,
    SITE,
    VISITOR,
    Life,
    fold,
    only,
    seen,
)

LIFECYCLE = RULES.models[0]

PHASE_OF = {
    "fulfilment": "service",
    "help_after_purchase": "service",
    "advocacy": "loyalty",
    "mail_clicked_after_purchase": "loyalty",
    "repeat_purchase": "loyalty",
    "repeat_visit": "loyalty",
    "buying": "purchase",
    "comparing": "consideration",
    "advice": "consideration",
    "first_contact": "awareness",
}

# The rule that decides before any purchase, in the visit of the purchase, and in a later visit.
DECIDED_BY = [
    ("Order Shipped", None, "fulfilment", "fulfilment"),
    ("Order Delivered", None, "fulfilment", "fulfilment"),
    ("Order Picked Up", None, "fulfilment", "fulfilment"),
    ("Packaging Rated", None, "fulfilment", "fulfilment"),
    ("Support Contacted", "advice", "help_after_purchase", "help_after_purchase"),
    ("Complaint Made", None, "help_after_purchase", "help_after_purchase"),
    ("Return Requested", None, "help_after_purchase", "help_after_purchase"),
    ("Order Returned", None, "help_after_purchase", "help_after_purchase"),
    ("Order Refunded", None, "help_after_purchase", "help_after_purchase"),
    ("Order Cancelled", None, "help_after_purchase", "help_after_purchase"),
    ("Product Reviewed", None, "advocacy", "advocacy"),
    ("Recommendation Made", None, "advocacy", "advocacy"),
    ("Survey Answered", None, "advocacy", "advocacy"),
    ("Thank You Received", None, "advocacy", "advocacy"),
    ("Product Shared", None, "advocacy", "advocacy"),
    ("Newsletter Subscribed", "first_contact", "advocacy", "advocacy"),
    (
        "Email Link Clicked",
        "advice",
        "mail_clicked_after_purchase",
        "mail_clicked_after_purchase",
    ),
    ("Product Added", "buying", "buying", "repeat_purchase"),
    ("Cart Viewed", "buying", "buying", "repeat_purchase"),
    ("Checkout Started", "buying", "buying", "repeat_purchase"),
    ("Checkout Step Viewed", "buying", "buying", "repeat_purchase"),
    ("Checkout Step Completed", "buying", "buying", "repeat_purchase"),
    ("Payment Info Entered", "buying", "buying", "repeat_purchase"),
    ("Order Completed", "buying", "buying", "repeat_purchase"),
    ("Coupon Entered", "buying", "buying", "buying"),
    ("Coupon Applied", "buying", "buying", "buying"),
    ("Add-on Sold", "buying", "buying", "buying"),
    ("Page Viewed", "first_contact", None, "repeat_visit"),
    ("Screen Viewed", "first_contact", None, "repeat_visit"),
    ("Product Viewed", "comparing", None, "repeat_visit"),
    ("Product List Viewed", "comparing", None, "repeat_visit"),
    ("Products Searched", "comparing", None, "repeat_visit"),
    ("Store Visited", "advice", None, "repeat_visit"),
    ("Product Clicked", "comparing", None, None),
    ("Product List Filtered", "comparing", None, None),
    ("Products Compared", "comparing", None, None),
    ("Price Viewed", "comparing", None, None),
    ("Shipping Information Viewed", "comparing", None, None),
    ("Review Read", "comparing", None, None),
    ("Catalogue Read", "comparing", None, None),
    ("Magazine Read", "comparing", None, None),
    ("Product Added to Wishlist", "comparing", None, None),
    ("Advice Given", "advice", None, None),
    ("Chat Started", "advice", None, None),
    ("Phone Call Received", "advice", None, None),
    ("Promotion Viewed", "first_contact", None, None),
    ("Promotion Clicked", "first_contact", None, None),
    ("Ad Viewed", "first_contact", None, None),
    ("Ad Clicked", "first_contact", None, None),
    ("Social Post Viewed", "first_contact", None, None),
    ("Email Delivered", "first_contact", None, None),
    ("Email Opened", "first_contact", None, None),
    ("Display Seen", "first_contact", None, None),
    ("Offline Media Seen", "first_contact", None, None),
    ("Referral Received", "first_contact", None, None),
    ("Nothing We Know", None, None, None),
]


def decided_by(name: str, cursor: Cursor) -> str | None:
    rule = matching_rule(LIFECYCLE, Journey(), cursor, seen("x", name=name))
    return rule.id if rule else None


def cursor_in(session: str, *, orders: int = 0, order_session: str = "") -> Cursor:
    return Cursor(
        sessions={"": open_session(SITE, VISITOR, seen(session))},
        orders=orders,
        order_session_id=identifier(SITE, VISITOR, order_session) if order_session else "",
    )


@pytest.mark.parametrize(("name", "before", "same_visit", "later_visit"), DECIDED_BY)
def test_a_touchpoint_is_evidence_by_the_first_rule_that_its_history_meets(
    name: str, before: str | None, same_visit: str | None, later_visit: str | None
) -> None:
    assert decided_by(name, cursor_in("first")) == before
    bought_now = cursor_in("first", orders=1, order_session="first")
    assert decided_by(name, bought_now) == same_visit
    bought_before = cursor_in("second", orders=1, order_session="first")
    assert decided_by(name, bought_before) == later_visit


def test_the_table_above_names_every_row_of_the_model() -> None:
    in_the_model = {(rule.id, name) for rule in LIFECYCLE.model.rules for name in rule.touchpoints}
    in_the_table = {(rule, name) for name, *rules in DECIDED_BY for rule in rules if rule}
    assert in_the_table == in_the_model


def test_every_rule_leads_to_its_phase() -> None:
    assert {rule.id: rule.phase for rule in LIFECYCLE.model.rules} == PHASE_OF


def test_phases_stand_in_the_order_of_the_journey() -> None:
    assert [phase.id for phase in LIFECYCLE.model.phases] == [
        "awareness",
        "consideration",
        "purchase",
        "service",
        "loyalty",
    ]


def small(**more: object) -> JourneyModel:
    """A model of three phases: `Look`, `Buy`, `Keep` are evidence for `a`, `b`, `c`."""
    phases = [{"id": id_, "en": id_, "de": id_} for id_ in "abc"]
    rules = [
        {"id": name.lower(), "phase": phase, "touchpoints": [name]}
        for name, phase in (("Look", "a"), ("Buy", "b"), ("Keep", "c"))
    ]
    return JourneyModel.model_validate(
        {
            "id": "small",
            "version": "1",
            "phases": phases,
            "rules": rules,
            "funnel": ["Look", "Buy"],
            "order": ["Buy"],
            **more,
        }
    )


def moves(model: JourneyModel, *names: str) -> list[tuple[str, str, str, int]]:
    rules = compile_rules([model])
    evidence = [seen(f"t{at}", at * MINUTE, name) for at, name in enumerate(names)]
    return [
        (move.kind, move.from_phase, move.to_phase, move.cycle)
        for move in only(Transition, fold(*evidence, rules=rules))
    ]


def test_the_first_evidence_enters_the_journey() -> None:
    assert moves(small(), "Look") == [("enter", "", "a", 1)]


def test_a_journey_may_begin_in_any_phase() -> None:
    assert moves(small(), "Keep") == [("enter", "", "c", 1)]


def test_the_next_phase_is_a_step_forward() -> None:
    assert moves(small(), "Look", "Buy")[1:] == [("forward", "a", "b", 1)]


def test_leaving_out_a_phase_is_a_skip() -> None:
    assert moves(small(), "Look", "Keep")[1:] == [("skip", "a", "c", 1)]


def test_more_evidence_for_the_same_phase_is_no_move() -> None:
    assert moves(small(), "Look", "Look", "Look") == [("enter", "", "a", 1)]


def test_evidence_for_an_earlier_phase_is_ignored() -> None:
    assert moves(small(), "Keep", "Look", "Buy") == [("enter", "", "c", 1)]


def test_a_way_back_that_the_model_names_is_taken() -> None:
    model = small(falls_back=[{"leave": "c", "enter": "b"}])
    assert moves(model, "Keep", "Buy", "Keep", "Look") == [
        ("enter", "", "c", 1),
        ("back", "c", "b", 1),
        ("forward", "b", "c", 1),
    ]


def test_evidence_for_the_beginning_starts_the_next_cycle_where_the_model_has_one() -> None:
    model = small(cycle={"leave": ["c"], "enter": ["a"]})
    assert moves(model, "Look", "Buy", "Keep", "Look", "Buy", "Keep", "Look") == [
        ("enter", "", "a", 1),
        ("forward", "a", "b", 1),
        ("forward", "b", "c", 1),
        ("cycle", "c", "a", 2),
        ("forward", "a", "b", 2),
        ("forward", "b", "c", 2),
        ("cycle", "c", "a", 3),
    ]


def test_a_cycle_may_also_enter_a_later_phase() -> None:
    model = small(cycle={"leave": ["b"], "enter": ["c"]})
    assert moves(model, "Buy", "Keep")[1:] == [("cycle", "b", "c", 2)]


def test_a_cycle_begins_only_from_the_phases_it_names() -> None:
    model = small(cycle={"leave": ["c"], "enter": ["a"]})
    assert moves(model, "Look", "Buy", "Look")[2:] == []


def test_a_way_round_goes_before_a_way_back() -> None:
    model = small(cycle={"leave": ["c"], "enter": ["a"]}, falls_back=[{"leave": "c", "enter": "a"}])
    assert moves(model, "Keep", "Look")[1:] == [("cycle", "c", "a", 2)]


def test_a_rule_with_channels_holds_on_these_channels_alone() -> None:
    rules = [
        {"id": "till", "phase": "b", "touchpoints": ["Buy"], "channels": ["store", "phone"]},
        {"id": "any", "phase": "c", "touchpoints": ["Buy"]},
    ]
    (model,) = compile_rules([small(rules=rules)]).models
    found = {
        channel: matching_rule(model, Journey(), Cursor(), seen("x", name="Buy", channel=channel))
        for channel in ("store", "phone", "shop")
    }
    assert {channel: rule.id for channel, rule in found.items() if rule} == {
        "store": "till",
        "phone": "till",
        "shop": "any",
    }


def test_a_skip_that_the_model_does_not_name_is_not_made() -> None:
    assert moves(small(skips=[]), "Look", "Keep", "Buy", "Keep") == [
        ("enter", "", "a", 1),
        ("forward", "a", "b", 1),
        ("forward", "b", "c", 1),
    ]


def test_a_skip_that_the_model_names_is_made() -> None:
    model = small(skips=[{"leave": "a", "enter": "c"}])
    assert moves(model, "Look", "Keep")[1:] == [("skip", "a", "c", 1)]


def test_a_cycle_with_a_history_waits_for_it() -> None:
    cycle = {"leave": ["b"], "enter": ["a", "b"], "history": "after_purchase"}
    model = small(cycle=cycle, order=["Pay"])
    assert moves(model, "Buy", "Look", "Buy", "Pay", "Buy", "Buy", "Pay", "Look") == [
        ("enter", "", "b", 1),
        ("cycle", "b", "b", 2),
        ("cycle", "b", "a", 3),
    ]


def test_an_order_is_not_its_own_history() -> None:
    rules = [
        {"id": "second", "phase": "c", "touchpoints": ["Buy"], "history": "after_purchase"},
        {"id": "first", "phase": "b", "touchpoints": ["Buy"]},
    ]
    assert [to for _, _, to, _ in moves(small(rules=rules), "Buy", "Buy")] == ["b", "c"]


@pytest.mark.parametrize(("looks", "phase"), [(1, "a"), (2, "a"), (3, "b"), (4, "b")])
def test_a_rule_of_times_holds_from_that_touchpoint_of_its_name_on(looks: int, phase: str) -> None:
    rules = [
        {"id": "third", "phase": "b", "touchpoints": ["Look", "Buy"], "times": 3},
        {"id": "look", "phase": "a", "touchpoints": ["Look"]},
    ]
    evidence = ("Look", "Buy", *("Look",) * (looks - 1))
    assert moves(small(rules=rules), *evidence)[-1][2] == phase


@pytest.mark.parametrize("visits", [1, 2])
def test_the_visit_in_which_a_cycle_begins_is_its_first(visits: int) -> None:
    again = {"id": "again", "phase": "b", "touchpoints": ["Look"], "visit": 2, "within": "cycle"}
    look = {"id": "look", "phase": "a", "touchpoints": ["Look"]}
    keep = {"id": "keep", "phase": "c", "touchpoints": ["Keep"]}
    cycle = {"leave": ["c"], "enter": ["a", "b"]}
    rules = compile_rules([small(rules=[again, look, keep], cycle=cycle)])
    evidence = [
        *(seen("l1", 0, "Look"), seen("k1", 1, "Keep"), seen("l2", 2, "Look")),
        seen("l3", (visits - 1) * HOUR + 3, "Look"),
    ]
    told = [(m.touchpoint_id, m.rule) for m in only(Transition, fold(*evidence, rules=rules))]
    wanted = [("l1", "look"), ("k1", "keep"), ("l2", "look"), ("l3", "again")]
    assert told == wanted[: 2 + visits]


@pytest.mark.parametrize(("gap", "rule"), [(30 * MINUTE, "first"), (30 * MINUTE + 1, "second")])
def test_a_rule_of_a_second_visit_holds_after_the_session_gap(gap: int, rule: str) -> None:
    rules = [
        {"id": "second", "phase": "b", "touchpoints": ["Look"], "visit": 2},
        {"id": "first", "phase": "a", "touchpoints": ["Look"]},
    ]
    model = compile_rules([small(rules=rules)])
    told = only(Transition, fold(seen("x", 0, "Look"), seen("y", gap, "Look"), rules=model))
    assert told[-1].rule == rule


@pytest.mark.parametrize(
    ("asked", "value", "holds"),
    [
        ({"one_of": ["payment", "review"]}, "review", True),
        ({"one_of": ["payment", "review"]}, "address", False),
        ({"one_of": ["payment"]}, None, False),
        ({"one_of": [3]}, "3", True),
        ({"one_of": ["3"]}, 3.0, True),
        ({"one_of": [True]}, True, True),
        ({"one_of": [True]}, 1, False),
        ({"at_least": 9}, 9, True),
        ({"at_least": 9}, "9.5", True),
        ({"at_least": 9}, 8.9, False),
        ({"at_least": 9}, "ten", False),
        ({"at_least": 0}, None, False),
    ],
)
def test_a_condition_asks_a_property_for_a_value_or_a_least_number(
    asked: dict[str, object], value: str | float | None, holds: bool
) -> None:
    where = [{"property": "step", **asked}]
    rules = [{"id": "step", "phase": "a", "touchpoints": ["Look"], "where": where}]
    rules.append({"id": "buy", "phase": "b", "touchpoints": ["Buy"]})
    (model,) = compile_rules([small(rules=rules)]).models
    properties = {} if value is None else {"step": scalar(value)}
    found = matching_rule(
        model, Journey(), Cursor(), seen("x", name="Look", properties=properties or None)
    )
    assert (found is not None) == holds


def test_all_conditions_of_a_rule_must_hold() -> None:
    where = [{"property": "a", "one_of": [1]}, {"property": "b", "at_least": 2}]
    rules = [
        {"id": "both", "phase": "b", "touchpoints": ["Look"], "where": where, "channels": ["shop"]},
        {"id": "look", "phase": "a", "touchpoints": ["Look"]},
    ]
    (model,) = compile_rules([small(rules=rules)]).models
    asked = [
        ("shop", {"a": 1.0, "b": 2.0}),
        ("shop", {"a": 1.0, "b": 1.0}),
        ("shop", {"b": 2.0}),
        ("store", {"a": 1.0, "b": 2.0}),
    ]
    found = [
        matching_rule(
            model, Journey(), Cursor(), seen("x", name="Look", channel=channel, properties=given)
        )
        for channel, given in asked
    ]
    assert [rule.id for rule in found if rule] == ["both", "look", "look", "look"]


def test_words_and_standards_do_not_change_the_version_of_the_rules() -> None:
    model = small()
    phases = tuple(
        phase.model_copy(update={"de": "anders", "longest": timedelta(days=1)})
        for phase in model.phases
    )
    same, other = (
        compile_rules([model.model_copy(update=update)]).version
        for update in ({"phases": phases}, {"order": ("Keep",)})
    )
    assert compile_rules([model]).version == same != other


def test_rules_know_which_names_are_counted_and_which_properties_are_asked_for() -> None:
    where = [{"property": "step", "one_of": ["x"]}]
    rules = [
        {"id": "step", "phase": "a", "touchpoints": ["Look", "Buy"], "where": where},
        {"id": "third", "phase": "b", "touchpoints": ["Keep"], "times": 3},
    ]
    known = compile_rules([small(rules=rules), small(id="plain")])
    assert known.properties == {"Look": {"step"}, "Buy": {"step"}}
    assert known.counted == {"Keep"}


def test_every_enabled_model_judges_every_touchpoint() -> None:
    rules = compile_rules([small(), small(id="other")])
    rows = only(Transition, fold(seen("a", name="Look"), rules=rules))
    assert sorted((row.model, row.to_phase) for row in rows) == [("other", "a"), ("small", "a")]


def test_movement_before_the_beginning_is_to_enter() -> None:
    assert movement(LIFECYCLE, Journey(), Cursor(), "service") == "enter"


def bought_and_kept() -> list[Evidence]:
    return [
        seen("look", 0, "Page Viewed"),
        seen("compare", MINUTE, "Product Viewed"),
        seen("add", 2 * MINUTE, "Product Added"),
        seen("order", 3 * MINUTE, "Order Completed"),
        seen("ship", HOUR, "Order Shipped", channel="delivery"),
        seen("return", 2 * DAY, "Product Viewed"),
        seen("complain", 3 * DAY, "Complaint Made"),
        seen("praise", 4 * DAY, "Product Reviewed"),
    ]


def test_a_whole_lifecycle_is_told_transition_by_transition() -> None:
    told = [
        (move.kind, move.to_phase, move.touchpoint_id, move.rule)
        for move in only(Transition, fold(*bought_and_kept()))
    ]
    assert told == [
        ("enter", "awareness", "look", "first_contact"),
        ("forward", "consideration", "compare", "comparing"),
        ("forward", "purchase", "add", "buying"),
        ("forward", "service", "ship", "fulfilment"),
        ("forward", "loyalty", "return", "repeat_visit"),
        ("back", "service", "complain", "help_after_purchase"),
        ("forward", "loyalty", "praise", "advocacy"),
    ]


def test_a_transition_names_its_touchpoint_session_and_the_time_in_the_phase_before() -> None:
    move = only(Transition, fold(*bought_and_kept()))[3]
    assert (move.touchpoint_name, move.channel) == ("Order Shipped", "delivery")
    assert (move.from_phase, move.seconds_in_previous) == ("purchase", 58 * 60)
    assert move.session_id == identifier(SITE, VISITOR, "ship")


def test_entering_a_journey_has_spent_no_time_in_a_phase_before() -> None:
    assert only(Transition, fold(seen("a")))[0].seconds_in_previous == 0


def test_a_visit_within_the_session_of_the_order_is_not_yet_a_repeat_visit() -> None:
    order = seen("order", 0, "Order Completed")
    same, later = seen("x", 30 * MINUTE), seen("x", 30 * MINUTE + 1)
    kinds = [
        [move.to_phase for move in only(Transition, fold(order, look))] for look in (same, later)
    ]
    assert kinds == [["purchase"], ["purchase", "loyalty"]]


def test_silence_of_exactly_the_journey_timeout_continues_the_journey() -> None:
    moved = only(Transition, fold(seen("a"), seen("b", 30 * DAY, "Product Viewed")))
    assert [move.kind for move in moved] == ["enter", "forward"]


def test_a_millisecond_more_and_the_journey_starts_anew() -> None:
    moved = only(Transition, fold(seen("a"), seen("b", 30 * DAY + 1, "Product Viewed")))
    assert [(move.kind, move.cycle) for move in moved] == [("enter", 1), ("enter", 1)]


def test_who_has_ordered_begins_the_next_cycle_and_is_still_after_the_purchase() -> None:
    rows = fold(seen("a", 0, "Order Completed"), seen("b", 31 * DAY))
    told = [
        (move.kind, move.from_phase, move.to_phase, move.cycle, move.seconds_in_previous)
        for move in only(Transition, rows)
    ]
    assert told == [("enter", "", "purchase", 1, 0), ("cycle", "", "loyalty", 2, 0)]


def test_every_long_silence_of_a_customer_begins_a_cycle() -> None:
    rows = fold(
        *(seen(f"t{n}", n * 31 * DAY, "Order Completed") for n in range(3)),
        seen("last", 62 * DAY + HOUR, "Page Viewed"),
    )
    assert [(m.kind, m.cycle) for m in only(Transition, rows)] == [
        ("enter", 1),
        ("cycle", 2),
        ("cycle", 3),
    ]


def test_a_customer_stays_the_person_known_before_the_silence() -> None:
    rows = fold(seen("a", 0, "Order Completed"), seen("b", 31 * DAY))
    people = {move.person_id for move in only(Transition, rows)}
    assert people == {identifier(SITE, "person", VISITOR)}


def test_a_silence_of_exactly_the_customer_timeout_is_remembered_and_a_longer_one_is_not() -> None:
    order = seen("a", 0, "Order Completed")
    kinds = [
        [(m.kind, m.to_phase) for m in only(Transition, fold(order, seen("b", silence)))][1]
        for silence in (730 * DAY, 730 * DAY + 1)
    ]
    assert kinds == [("cycle", "loyalty"), ("enter", "awareness")]


def test_the_visits_of_a_customer_are_counted_on_after_a_long_silence() -> None:
    second = {"id": "second", "phase": "b", "touchpoints": ["Look"], "visit": 2}
    rules = compile_rules([small(rules=[second, {**second, "id": "first", "visit": 1}])])
    rows = fold(seen("buy", 0, "Buy"), seen("look", 31 * DAY, "Look"), rules=rules)
    assert [move.rule for move in only(Transition, rows)] == ["second"]


def test_what_happens_after_a_long_silence_and_before_the_first_evidence_is_of_the_cycle() -> None:
    keep = {"id": "keep", "phase": "b", "touchpoints": ["Keep"], "within": "cycle"}
    look = {"id": "look", "phase": "a", "touchpoints": ["Look"]}
    rules = compile_rules([small(rules=[keep | {"history": "after_purchase"}, look])])
    cold = [seen("l1", 0, "Look"), seen("b1", 1, "Buy")]
    again = [
        seen(f"a{place}", 31 * DAY + place, name)
        for place, name in enumerate(("Buy", "Look", "Keep"))
    ]
    told = [(m.kind, m.rule) for m in only(Transition, fold(*cold, *again, rules=rules))]
    assert told == [("enter", "look"), ("cycle", "look"), ("forward", "keep")]


def test_what_is_of_the_cycle_begins_at_nought_after_a_long_silence() -> None:
    rules = [
        {"id": "again", "phase": "c", "touchpoints": ["Look"], "times": 2, "within": "cycle"},
        {
            "id": "keep",
            "phase": "b",
            "touchpoints": ["Keep"],
            "history": "after_purchase",
            "within": "cycle",
        },
        {"id": "look", "phase": "a", "touchpoints": ["Look"]},
    ]
    evidence = [
        *(seen("l1", 0, "Look"), seen("buy", 1, "Buy"), seen("l2", 2, "Look")),
        *(seen("keep", 31 * DAY, "Keep"), seen("l3", 31 * DAY + 1, "Look")),
        seen("l4", 31 * DAY + 2, "Look"),
    ]
    told = only(Transition, fold(*evidence, rules=compile_rules([small(rules=rules)])))
    assert [(move.touchpoint_id, move.rule) for move in told] == [
        *(("l1", "look"), ("l2", "again")),
        *(("l3", "look"), ("l4", "again")),
    ]


def test_the_journey_timeout_is_a_setting() -> None:
    rules = compile_rules([LIFECYCLE.model], journey_timeout=timedelta(hours=1))
    moved = only(Transition, fold(seen("a"), seen("b", HOUR + 1), rules=rules))
    assert [move.kind for move in moved] == ["enter", "enter"]


def test_a_late_touchpoint_takes_back_the_transitions_that_it_refutes() -> None:
    life = Life()
    life.see(seen("look", HOUR, "Page Viewed"), seen("order", 0, "Order Completed"))
    told = [(m.kind, m.touchpoint_id) for m in only(Transition, life.rows.values())]
    assert told == [("enter", "order"), ("skip", "look")]


def test_a_refuted_transition_is_retracted_under_its_own_id() -> None:
    life = Life()
    life.see(seen("look", 2 * MINUTE, "Page Viewed"))
    (before,) = only(Transition, life.rows.values())
    life.see(seen("compare", MINUTE, "Product Viewed"))
    retracted = life.rows[before.transition_id]
    assert (retracted.is_deleted, retracted.version) == (True, before.version + 1)
    assert [m.touchpoint_id for m in only(Transition, life.rows.values())] == ["compare"]


@pytest.mark.parametrize(("visits", "before", "holds"), [(4, 2, True), (3, 2, False), (2, 0, True)])
def test_visits_within_a_cycle_count_from_its_beginning(
    visits: int, before: int, holds: bool
) -> None:
    second = {"id": "second", "phase": "b", "touchpoints": ["Look"], "visit": 2, "within": "cycle"}
    [model] = compile_rules([small(rules=[second])]).models
    journey = Journey("a", 1, 1, Past(visits=before))
    found = matching_rule(model, journey, Cursor(visits=visits), seen("x", 0, "Look"))
    assert (found is not None) is holds
