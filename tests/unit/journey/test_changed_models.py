"""Models may change while people are on their way: a state of other rules is folded on."""

from collections.abc import Sequence
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from pipeline.journey.rules import Rules, compile_rules
from pipeline.journey.state import Evidence
from schemas.facts import Transition
from schemas.journeys import SHIPPED, JourneyModel, load_model
from tests.support.journeys import DAY, HOUR, MINUTE, Life, only, seen
from tests.unit.journey.test_fold import evidence_of_one_visitor

MODELS = [load_model(path.stem) for path in sorted(SHIPPED.glob("*.toml"))]


@st.composite
def changed(draw: st.DrawFn, model: JourneyModel) -> JourneyModel:
    """Draw the model as somebody might change it."""

    def kept(parts: Sequence[Any]) -> tuple[Any, ...]:
        return tuple(part for part in parts if draw(st.integers(0, 3)))

    update: dict[str, Any] = {
        "rules": kept(model.rules),
        "funnel": kept(model.funnel),
        "abandonment": tuple(
            rule.model_copy(update={"in_a_row": draw(st.sampled_from((rule.in_a_row, 0, 2)))})
            for rule in kept(model.abandonment)
        ),
        "causes": kept(model.causes),
    }
    if draw(st.booleans()):
        gone = draw(st.sampled_from([phase.id for phase in model.phases]))
        update["phases"] = tuple(phase for phase in model.phases if phase.id != gone)
        update["rules"] = tuple(rule for rule in update["rules"] if rule.phase != gone)
        update |= {"skips": "all", "falls_back": (), "cycle": None}
    return model.model_copy(update=update)


@st.composite
def rules(draw: st.DrawFn) -> Rules:
    models = draw(st.lists(st.sampled_from(MODELS), min_size=1, max_size=3, unique_by=id))
    return compile_rules(
        [draw(changed(model)) if draw(st.booleans()) else model for model in models]
    )


@given(rules(), rules(), evidence_of_one_visitor(), st.integers(0, 12), st.booleans())
def test_evidence_is_folded_under_any_pair_of_models(
    before: Rules, after: Rules, evidence: Sequence[Evidence], at: int, is_silent: bool
) -> None:
    life = Life(before)
    life.see(*evidence[:at])
    life.rules = after
    if is_silent:
        life.wait(40 * DAY)
    life.see(*evidence[at:])
    life.see(seen("last", 80 * DAY, "Product Added"))
    life.wait(81 * DAY)
    assert life.rows


def test_a_stake_of_a_rule_that_was_dropped_is_never_abandoned() -> None:
    lifecycle = load_model("lifecycle")
    life = Life(compile_rules([lifecycle]))
    life.see(seen("cart", 0, "Product Added"))
    life.rules = compile_rules([lifecycle.model_copy(update={"abandonment": ()})])
    life.wait(DAY)
    life.see(seen("more", DAY, "Page Viewed"))
    assert not [row for row in life.rows.values() if getattr(row, "kind", "") == "cart"]


def test_a_step_that_the_funnel_no_longer_has_leaves_the_session() -> None:
    lifecycle = load_model("lifecycle")
    life = Life(compile_rules([lifecycle]))
    first, *_, last = lifecycle.funnel
    life.see(seen("first", 0, first))
    life.rules = compile_rules([lifecycle.model_copy(update={"funnel": (last,)})])
    life.see(seen("last", MINUTE, last))
    (session,) = life.state.head.sessions.values()
    assert session.steps == [last]


def test_a_phase_that_the_model_no_longer_has_is_left_with_the_next_evidence() -> None:
    lifecycle = load_model("lifecycle")
    life = Life(compile_rules([lifecycle]))
    life.see(seen("view", 0, "Page Viewed"))
    phase = life.state.head.journeys["lifecycle"].phase
    other = lifecycle.model_copy(
        update={
            "phases": tuple(each for each in lifecycle.phases if each.id != phase),
            "rules": tuple(rule for rule in lifecycle.rules if rule.phase != phase),
            "falls_back": (),
            "cycle": None,
        }
    )
    life.rules = compile_rules([other])
    life.see(seen("cart", HOUR, "Checkout Started"))
    journey = life.state.head.journeys["lifecycle"]
    assert journey.phase not in ("", phase)
    (*_, moved) = only(Transition, life.rows.values())
    assert (moved.kind, moved.from_phase, moved.seconds_in_previous) == ("enter", "", 0)
