"""The five shipped models: every rule decides, every phase is reached, cycles go round."""

from collections.abc import Iterator, Sequence
from itertools import permutations

import pytest

from pipeline.journey.rules import compile_rules
from pipeline.journey.state import Evidence
from schemas.facts import Transition
from schemas.journeys import SHIPPED, JourneyModel, Rule, load_model
from tests.support.journeys import HOUR, MINUTE, fold, only, seen

MODELS = {path.stem: load_model(path.stem) for path in SHIPPED.glob("*.toml")}

Past = Sequence[Evidence]

BEFORE: Past = ()
SAME_VISIT: Past = (seen("order", 0, "Order Completed"),)
LATER: Past = (*SAME_VISIT, seen("pause", 2 * HOUR, "Something Else"))
SECOND_VISIT: Past = (seen("home", 0), seen("pause", 2 * HOUR, "Something Else"))


def laid_bare(model: JourneyModel) -> JourneyModel:
    """Give the model with a phase for every rule, and every way open: each decision is a move."""
    other = Rule(id="other", phase="other", touchpoints=("Something Else",))
    phases = [{"id": rule.id, "en": rule.id, "de": rule.id} for rule in (*model.rules, other)]
    return JourneyModel.model_validate(
        model.model_dump(exclude={"skips", "cycle", "abandonment"})
        | {
            "phases": phases,
            "rules": [r.model_copy(update={"phase": r.id}) for r in (*model.rules, other)],
            "falls_back": [
                {"leave": later["id"], "enter": earlier["id"]}
                for number, later in enumerate(phases)
                for earlier in phases[:number]
            ],
        }
    )


BARE = {name: compile_rules([laid_bare(model)]) for name, model in MODELS.items()}


def decided_by(model: str, past: Past, last: Evidence) -> str:
    """Name the rule that decides about `last` after `past`; "other" when none does."""
    at = last.at or (past[-1].at if past else 0)
    pause = Evidence(at=at, id="pause", name="Something Else")
    last = Evidence(
        at=at + 1, id="last", name=last.name, channel=last.channel, properties=last.properties
    )
    moves = only(Transition, fold(*past, pause, last, rules=BARE[model]))
    return moves[-1].to_phase


def phase_of(model: str, past: Past, name: str, channel: str = "", **properties: object) -> str:
    """Name the phase that a touchpoint is evidence for after `past`; empty for none."""
    given = {key: float(v) if isinstance(v, int) else str(v) for key, v in properties.items()}
    last = Evidence(at=0, id="last", name=name, channel=channel, properties=given or None)
    rule = decided_by(model, past, last)
    return {r.id: r.phase for r in MODELS[model].rules}.get(rule, "")


# --- every rule ----------------------------------------------------------------------------------


def past_for(rule: Rule, name: str, order: str) -> Iterator[Evidence]:
    """Make the shortest history in which `rule` holds for a touchpoint called `name`."""
    if rule.visit > 1:
        yield seen("first", -HOUR, "Something Else")
    if rule.history in ("after_purchase", "new_visit_after_purchase"):
        yield seen("order", 0, order)
    visits = max(rule.visit - 1, rule.history == "new_visit_after_purchase")
    for number in range(visits):
        yield seen(f"v{number}", (number + 1) * 2 * HOUR, "Something Else")
    for number in range(rule.times - 1):
        yield seen(f"n{number}", visits * 2 * HOUR + (number + 1) * MINUTE, name)


def touchpoint_for(rule: Rule, name: str) -> Evidence:
    """Make a touchpoint called `name` that has the channel and the properties `rule` asks for."""
    properties = {
        c.property: c.at_least if c.at_least is not None else str(c.one_of[0]) for c in rule.where
    }
    channel = rule.channels[0] if rule.channels else "website"
    return Evidence(at=0, id="last", name=name, channel=channel, properties=properties or None)


ROWS = [
    pytest.param(model.id, rule, name, id=f"{model.id}-{rule.id}-{name}")
    for model in MODELS.values()
    for rule in model.rules
    for name in rule.touchpoints
]


@pytest.mark.parametrize(("model", "rule", "name"), ROWS)
def test_a_rule_decides_when_its_history_is_there(model: str, rule: Rule, name: str) -> None:
    past = list(past_for(rule, name, MODELS[model].order[0]))
    assert decided_by(model, past, touchpoint_for(rule, name)) == rule.id


@pytest.mark.parametrize(
    ("model", "rule", "past", "last"),
    [
        (
            "aida",
            "third_look",
            [seen(f"p{n}", n, "Product Viewed") for n in (1,)],
            "Product Viewed",
        ),
        ("aida", "came_back", [seen("home")], "Page Viewed"),
        ("aida", "advice", SAME_VISIT, "Advice Given"),
        ("lifecycle", "repeat_visit", SAME_VISIT, "Page Viewed"),
        ("lifecycle", "comparing", SAME_VISIT, "Products Compared"),
        ("lifecycle", "fulfilment", BEFORE, "Order Shipped"),
        ("canvas", "repeat_purchase", SAME_VISIT, "Order Completed"),
        ("purchase", "first_contact", SAME_VISIT, "Ad Clicked"),
    ],
)
def test_a_rule_does_not_decide_without_its_history(
    model: str, rule: str, past: Past, last: str
) -> None:
    assert decided_by(model, past, seen("last", 0, last)) != rule


def test_a_mail_about_an_order_draws_no_attention_and_a_newsletter_does() -> None:
    found = [
        phase_of("aida", BEFORE, "Email Opened", channel) for channel in ("email", "newsletter")
    ]
    assert found == ["", "attention"]


@pytest.mark.parametrize(
    ("name", "properties", "phase"),
    [
        ("Survey Answered", {"survey": "nps", "score": 9}, "advocacy"),
        ("Survey Answered", {"survey": "nps", "score": 8}, "retention"),
        ("Survey Answered", {"survey": "csat", "score": 4}, "advocacy"),
        ("Survey Answered", {"survey": "csat", "score": 3}, "retention"),
        ("Survey Answered", {}, "retention"),
        ("Product Reviewed", {"rating": 4}, "advocacy"),
        ("Product Reviewed", {"rating": 3.9}, "retention"),
        ("Product Reviewed", {"rating": "good"}, "retention"),
    ],
)
def test_an_opinion_is_advocacy_from_nine_of_ten_or_four_of_five_on(
    name: str, properties: dict[str, object], phase: str
) -> None:
    assert phase_of("canvas", LATER, name, "survey", **properties) == phase


# --- every phase: the touchpoints of the specification -------------------------------------------

BOUGHT_ON = ("website", "shop", "email", "store", "phone", "order_card")
CONTACT = (
    "Ad Viewed|Ad Clicked|Social Post Viewed|Display Seen|Offline Media Seen|Referral Received"
)
LOOKING = (
    "Product Viewed|Product List Viewed|Products Searched|Products Compared|Price Viewed"
    "|Shipping Information Viewed|Review Read|Catalogue Read|Magazine Read|Store Visited"
    "|Advice Given|Chat Started|Support Contacted|Phone Call Received|Email Link Clicked"
)
BUYING = (
    "Product Added|Cart Viewed|Checkout Started|Checkout Step Viewed|Checkout Step Completed"
    "|Payment Info Entered|Order Completed|Add-on Sold"
)
SERVICE = (
    "Order Shipped|Order Delivered|Order Picked Up|Packaging Rated|Support Contacted"
    "|Complaint Made|Return Requested|Order Returned|Order Refunded"
)
PRAISE = "Product Reviewed|Recommendation Made|Survey Answered|Thank You Received"
AGAIN = "Product Added|Cart Viewed|Checkout Started|Payment Info Entered"

NAMED = [
    # Awareness: first visit, advertising, newsletter delivered or opened, media, word of mouth.
    ("lifecycle", "awareness", BEFORE, f"Page Viewed|Email Delivered|Email Opened|{CONTACT}"),
    ("lifecycle", "consideration", BEFORE, LOOKING),
    ("lifecycle", "purchase", BEFORE, BUYING),
    ("lifecycle", "service", SAME_VISIT, SERVICE),
    ("lifecycle", "service", LATER, SERVICE),
    ("lifecycle", "loyalty", LATER, f"{PRAISE}|Page Viewed|Product Viewed|Order Completed|{AGAIN}"),
    ("lifecycle", "loyalty", LATER, "Email Link Clicked|Newsletter Subscribed"),
    ("aida", "attention", BEFORE, f"Page Viewed|{CONTACT}"),
    ("aida", "interest", SECOND_VISIT, "Page Viewed|Screen Viewed"),
    ("aida", "interest", BEFORE, "Product Viewed|Product List Viewed|Products Searched"),
    ("aida", "interest", BEFORE, "Catalogue Read|Magazine Read|Store Visited|Email Link Clicked"),
    ("aida", "desire", BEFORE, "Products Compared|Price Viewed|Shipping Information Viewed"),
    ("aida", "desire", BEFORE, "Review Read|Advice Given|Chat Started|Phone Call Received"),
    ("aida", "desire", BEFORE, "Support Contacted|Product Added|Cart Viewed"),
    ("aida", "action", BEFORE, "Checkout Started|Payment Info Entered|Order Completed|Add-on Sold"),
    ("aida", "", LATER, SERVICE),
    ("favorability", "awareness", BEFORE, "Page Viewed|Ad Viewed|Social Post Viewed|Display Seen"),
    ("favorability", "awareness", BEFORE, "Email Delivered|Offline Media Seen"),
    ("favorability", "favorability", SECOND_VISIT, "Page Viewed"),
    ("favorability", "favorability", BEFORE, "Ad Clicked|Email Opened|Email Link Clicked"),
    ("favorability", "favorability", BEFORE, "Referral Received|Review Read|Catalogue Read"),
    ("favorability", "favorability", SAME_VISIT, f"{SERVICE}|{PRAISE}"),
    ("favorability", "favorability", LATER, f"{SERVICE}|{PRAISE}"),
    ("favorability", "consideration", BEFORE, "Product Viewed|Products Compared|Store Visited"),
    ("favorability", "consideration", BEFORE, "Support Contacted|Chat Started|Advice Given"),
    (
        "favorability",
        "consideration",
        BEFORE,
        "Product Added|Checkout Started|Payment Info Entered",
    ),
    ("favorability", "conversion", BEFORE, "Order Completed|Add-on Sold"),
    ("canvas", "awareness", BEFORE, f"Page Viewed|Email Delivered|Email Opened|{CONTACT}"),
    ("canvas", "consideration", BEFORE, LOOKING),
    ("canvas", "decision", BEFORE, BUYING),
    ("canvas", "retention", SAME_VISIT, f"{SERVICE}|Survey Answered|Product Reviewed"),
    ("canvas", "retention", LATER, f"{SERVICE}|Page Viewed|Product Viewed|{AGAIN}"),
    ("canvas", "advocacy", LATER, "Order Completed|Recommendation Made|Product Shared"),
    ("purchase", "before", BEFORE, f"Page Viewed|Email Delivered|{CONTACT}|{LOOKING}"),
    ("purchase", "during", BEFORE, BUYING),
    ("purchase", "during", LATER, AGAIN),
    ("purchase", "after", SAME_VISIT, f"{SERVICE}|{PRAISE}"),
    ("purchase", "after", LATER, f"{SERVICE}|{PRAISE}|Page Viewed|Email Link Clicked"),
]
"""Model, phase, what happened before, and names: by hand, from the specification."""


@pytest.mark.parametrize(
    ("model", "phase", "past", "name"),
    [
        pytest.param(model, phase, past, name, id=f"{model}-{phase}-{len(past)}-{name}")
        for model, phase, past, names in NAMED
        for name in names.split("|")
    ],
)
def test_the_specification_s_touchpoints_are_evidence_for_their_phase(
    model: str, phase: str, past: Past, name: str
) -> None:
    assert phase_of(model, past, name) == phase


@pytest.mark.parametrize("channel", BOUGHT_ON)
@pytest.mark.parametrize("name", ["Order Completed", "Add-on Sold"])
def test_a_purchase_is_one_on_every_channel(name: str, channel: str) -> None:
    found = {model: phase_of(model, BEFORE, name, channel) for model in MODELS}
    assert found == {
        "aida": "action",
        "lifecycle": "purchase",
        "favorability": "conversion",
        "canvas": "decision",
        "purchase": "during",
    }


def test_the_phases_are_those_of_the_specification_in_their_order() -> None:
    assert {id_: [phase.id for phase in model.phases] for id_, model in MODELS.items()} == {
        "aida": ["attention", "interest", "desire", "action"],
        "lifecycle": ["awareness", "consideration", "purchase", "service", "loyalty"],
        "favorability": ["awareness", "favorability", "consideration", "conversion"],
        "canvas": ["awareness", "consideration", "decision", "retention", "advocacy"],
        "purchase": ["before", "during", "after"],
    }


def test_the_german_labels_are_those_of_the_specification() -> None:
    labels = {id_: [phase.de for phase in model.phases] for id_, model in MODELS.items()}
    assert labels["lifecycle"] == [
        *("Aufmerksamkeit", "Interesse", "Kauf"),
        *("Lieferung und Nutzung", "Erinnerung"),
    ]
    assert labels["canvas"] == [
        *("Bewusstsein", "Überlegung", "Entscheidung", "Bindung", "Befürwortung"),
    ]
    assert labels["purchase"] == [
        f"{when} der Kaufentscheidung" for when in ("vor", "während", "nach")
    ]


@pytest.mark.parametrize("model", MODELS.values(), ids=list(MODELS))
def test_a_model_is_complete(model: JourneyModel) -> None:
    assert model.unreached == ()
    assert all(phase.longest for phase in model.phases)
    assert {"phone", "chat", "support", "delivery"} <= model.longest_wait.keys()
    assert {rule.kind for rule in model.abandonment} >= {"cart", "checkout"}


# --- ways between phases -------------------------------------------------------------------------

EVERYTHING = compile_rules([MODELS[name] for name in sorted(MODELS)])


def told(model: str, *evidence: Evidence) -> list[tuple[str, str, int]]:
    """Tell the moves of one model while all five judge the same touchpoints."""
    return [
        (move.kind, move.to_phase, move.cycle)
        for move in only(Transition, fold(*evidence, rules=EVERYTHING))
        if move.model == model
    ]


def day(number: int, *names: str) -> list[Evidence]:
    """Make a visit on the so manieth day."""
    return [
        seen(f"{number}-{place}", number * 24 * HOUR + place * MINUTE, name)
        for place, name in enumerate(names)
    ]


TWO_PURCHASES = [
    *day(
        0, "Page Viewed", "Product Viewed", "Product Added", "Checkout Started", "Order Completed"
    ),
    *day(2, "Order Delivered"),
    *day(9, "Product Viewed", "Product Added", "Checkout Started", "Order Completed"),
]

STORIES = {
    "lifecycle": [
        ("enter", "awareness", 1),
        ("forward", "consideration", 1),
        ("forward", "purchase", 1),
        ("forward", "service", 1),
        ("forward", "loyalty", 1),
    ],
    "aida": [
        ("enter", "attention", 1),
        ("forward", "interest", 1),
        ("forward", "desire", 1),
        ("forward", "action", 1),
        ("cycle", "interest", 2),
        ("forward", "desire", 2),
        ("forward", "action", 2),
    ],
    "favorability": [
        ("enter", "awareness", 1),
        ("skip", "consideration", 1),
        ("forward", "conversion", 1),
        ("cycle", "favorability", 2),
        ("forward", "consideration", 2),
        ("forward", "conversion", 2),
    ],
    "canvas": [
        ("enter", "awareness", 1),
        ("forward", "consideration", 1),
        ("forward", "decision", 1),
        ("forward", "retention", 1),
        ("forward", "advocacy", 1),
    ],
    "purchase": [
        ("enter", "before", 1),
        ("forward", "during", 1),
        ("forward", "after", 1),
        ("cycle", "before", 2),
        ("forward", "during", 2),
    ],
}


@pytest.mark.parametrize("model", STORIES)
def test_one_pass_tells_two_purchases_in_every_model(model: str) -> None:
    assert told(model, *TWO_PURCHASES) == STORIES[model]


def test_orders_alone_are_cycles_of_favorability() -> None:
    orders = [evidence for number in (0, 5, 12, 20) for evidence in day(number, "Order Completed")]
    assert told("favorability", *orders) == [
        ("enter", "conversion", 1),
        ("cycle", "conversion", 2),
        ("cycle", "conversion", 3),
        ("cycle", "conversion", 4),
    ]


def test_two_orders_in_one_visit_are_one_cycle() -> None:
    assert told("favorability", *day(0, "Order Completed", "Order Completed")) == [
        ("enter", "conversion", 1)
    ]


def test_a_delivery_of_the_last_order_moves_no_new_decision_on() -> None:
    story = [*day(0, "Order Completed"), *day(3, "Product Viewed"), *day(4, "Order Delivered")]
    assert told("purchase", *story) == [("enter", "during", 1), ("cycle", "before", 2)]


def test_third_looks_are_counted_anew_in_every_cycle() -> None:
    looks = ("Product Viewed",) * 3
    story = [*day(0, *looks, "Order Completed"), *day(3, *looks[:2]), *day(4, *looks[:1])]
    assert told("aida", *story) == [
        ("enter", "interest", 1),
        ("forward", "desire", 1),
        ("forward", "action", 1),
        ("cycle", "interest", 2),
        ("forward", "desire", 2),
    ]


def test_a_complaint_leads_back_into_service_in_the_lifecycle() -> None:
    story = [*day(0, "Order Completed"), *day(3, "Page Viewed"), *day(4, "Complaint Made")]
    assert told("lifecycle", *story) == [
        ("enter", "purchase", 1),
        ("skip", "loyalty", 1),
        ("back", "service", 1),
    ]


@pytest.mark.parametrize("model", MODELS.values(), ids=list(MODELS))
def test_no_way_leads_back_that_the_model_does_not_name(model: JourneyModel) -> None:
    (rules,) = compile_rules([model]).models
    rank = [phase.id for phase in model.phases]
    back = {way for way in permutations(rank, 2) if rank.index(way[0]) > rank.index(way[1])}
    named = {(way.leave, way.enter) for way in model.falls_back}
    assert {way for way, kind in rules.moves.items() if kind == "back"} == back & named == named
