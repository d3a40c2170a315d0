"""The shipped journey models, and what a person who writes a wrong one is told."""

import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.collector.vocabularies import segment
from pipeline.importer.send import load_mapping
from pipeline.settings import Settings
from schemas.journeys import SHIPPED, BadModel, JourneyModel, Rule, load_model, load_models

ROOT = Path(__file__).parents[2]
MODELS = [load_model(path.stem) for path in sorted(SHIPPED.glob("*.toml"))]

SMALLEST = """
id = "small"
version = "1"
funnel = ["Product Viewed", "Order Completed"]
phases = [
    { id = "before", en = "Before", de = "Vorher" },
    { id = "after", en = "After", de = "Nachher" },
]
[[rules]]
id = "looking"
phase = "before"
touchpoints = ["Product Viewed"]
[[rules]]
id = "buying"
phase = "after"
touchpoints = ["Order Completed"]
"""

GIVING_UP = """
[[abandonment]]
kind = "cart"
opens = ["Product Added"]
timeout = "PT30M"
recovery = "P7D"
"""
ENDLESS = """
[[abandonment]]
kind = "journey"
timeout = "P14D"
recovery = "P7D"
"""


PHASES = "phases = ["
START_AFTER = '{ leave = "start", enter = "after" }'
FORWARD = '{ leave = "before", enter = "after" }'
ONE_THING = "give either one_of or at_least, not both"


def names_in(model: JourneyModel) -> Iterator[str]:
    yield from model.funnel
    yield from model.order
    for rule in model.rules:
        yield from rule.touchpoints
    for abandonment in model.abandonment:
        yield from (*abandonment.opens, *abandonment.ends, *abandonment.gives_up)
    for cause in model.causes:
        yield from cause.touchpoints


def all_names() -> Iterator[str]:
    yield from (*segment.NAMES.values(), *segment._SHOP, *segment._MAIL)
    for model in MODELS:
        yield from names_in(model)
    for path in (ROOT / "docs/mappings").glob("*.toml"):
        yield from (rule.name for rule in load_mapping(path).events)


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.id)
def test_a_shipped_model_is_asked_for_by_its_id(model: JourneyModel) -> None:
    assert load_model(model.id) == model


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.id)
def test_every_phase_has_a_rule_that_leads_there(model: JourneyModel) -> None:
    assert {phase.id for phase in model.phases} - {rule.phase for rule in model.rules} == set()


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.id)
def test_every_step_of_the_funnel_and_on_the_way_to_an_order_is_evidence_for_a_phase(
    model: JourneyModel,
) -> None:
    evidence = {name for rule in model.rules for name in rule.touchpoints}
    to_an_order = [rule for rule in model.abandonment if rule.opens and not rule.ends]
    steps = {*model.funnel, *model.order, *(name for rule in to_an_order for name in rule.opens)}
    assert steps - evidence == set()


def test_a_touchpoint_name_is_spelled_one_way_by_models_mappings_and_collector() -> None:
    spellings: dict[str, set[str]] = defaultdict(set)
    for name in all_names():
        spellings[re.sub(r"\W", "", name).casefold()].add(name)
    assert {key: names for key, names in spellings.items() if len(names) > 1} == {}


@pytest.mark.parametrize(
    ("right", "wrong", "complaint"),
    [
        ('id = "small"', "id = ", "not TOML: Invalid value (at line 2, column 6)"),
        ('id = "small"', "", "id: Field required"),
        ('id = "small"', 'id = "small"\nauthor = 1', "author: Extra inputs are not permitted"),
        ('"Product Viewed", "Order', '"Order', "funnel: Tuple should have at least 2 items"),
        ('phase = "after"', 'phase = "end"', "rule buying: no phase 'end' in this model"),
        ('"buying"', '"looking"', "rule looking: 2 have this id"),
        ('{ id = "after"', '{ id = "before"', "phase before: 2 have this id"),
        ('["Order Completed"]', "[]", "rule buying.touchpoints: Tuple should have at least 1"),
        ('"buying"', '"buying"\nchannels = ["fax"]', "rule buying.channels.0: Input should be"),
        ('"buying"', '"buying"\nhistory = "ever"', "rule buying.history: Input should be 'any'"),
        ('id = "buying"\n', "", "rule 1.id: Field required"),
        (
            'de = "Nachher"',
            'de = "Nachher", longest = "PT0S"',
            "phase after.longest: Input should be",
        ),
        (
            'de = "Nachher"',
            'de = "Nachher", longest = "soon"',
            "phase after.longest: Input should be",
        ),
        ('"Nachher"', '"Nachher", canvas = { need = "" }', "phase after.canvas.need: Extra inputs"),
        (
            '["Product Viewed", "O',
            '["Product Viewed", "Product Viewed", "O',
            "funnel: 'Product Viewed' st",
        ),
        ('["Product Viewed"]', '["Seen", "Seen"]', "rule looking: 'Seen' stands here 2 times"),
        (
            '["Order Completed"]',
            '["Product Viewed"]',
            "rule buying: 'Product Viewed' is always decided",
        ),
        ('"buying"', '"buying"\ntimes = 0', "rule buying.times: Input should be greater than"),
        (
            '"buying"',
            '"buying"\nvisit = "2nd"',
            "rule buying.visit: Input should be a valid integer",
        ),
        ('"buying"', '"buying"\nwithin = "day"', "rule buying.within: Input should be 'life' or"),
        (
            '"buying"',
            '"buying"\nwhere = [{ one_of = [1] }]',
            "rule buying.where.0.property: Field req",
        ),
        ('"buying"', '"buying"\nwhere = [{ property = "a" }]', f"rule buying.where.0: {ONE_THING}"),
        (
            '"buying"',
            '"buying"\nwhere = [{ property = "a", one_of = [1], at_least = 1 }]',
            f"rule buying.where.0: {ONE_THING}",
        ),
        (PHASES, f"order = []\n{PHASES}", "order: Tuple should have at least 1 item"),
        (PHASES, f'longest_wait = {{ fax = "P1D" }}\n{PHASES}', "longest_wait.fax"),
        (
            PHASES,
            f'longest_wait = {{ phone = "-P1D" }}\n{PHASES}',
            "longest_wait.phone: Input should",
        ),
        (PHASES, f'skips = "none"\n{PHASES}', "skips"),
        (PHASES, f"skips = [{START_AFTER}]\n{PHASES}", "skips 0: no phase 'start' in this model"),
        (
            PHASES,
            f"skips = [{FORWARD}]\n{PHASES}",
            "skips 0: from before to after no phase is left",
        ),
        (
            PHASES,
            f"falls_back = [{START_AFTER}]\n{PHASES}",
            "falls_back 0: no phase 'start' in this",
        ),
        (
            PHASES,
            f"falls_back = [{FORWARD}]\n{PHASES}",
            "falls_back 0: after does not stand before",
        ),
        (
            PHASES,
            f'cycle = {{ leave = ["after"], enter = ["start"] }}\n{PHASES}',
            "cycle: no phase 'start' in this model",
        ),
        (
            PHASES,
            f'cycle = {{ leave = ["after"], enter = ["before", "after"] }}\n{PHASES}',
            "cycle: every touchpoint in after would begin one; say history",
        ),
        (
            "[[rules]]",
            f"{GIVING_UP}\n{GIVING_UP}\n[[rules]]",
            "abandonment cart: 2 have this id",
        ),
        (
            "[[rules]]",
            f"{GIVING_UP.replace('cart', 'journey')}\n[[rules]]",
            "abandonment.0: opens has no meaning in the rule of journey",
        ),
        (
            "[[rules]]",
            f"{GIVING_UP.replace('opens', 'ends')}\n[[rules]]",
            "abandonment.0: the rule of cart needs opens",
        ),
        (
            "[[rules]]",
            f"{GIVING_UP.replace('cart', 'form')}\n[[rules]]",
            "abandonment.0: the rule of form needs ends",
        ),
        (
            "[[rules]]",
            f"{GIVING_UP}\nin_a_row = 3\n[[rules]]",
            "abandonment.0: in_a_row has no meaning in the rule of cart",
        ),
        (
            "[[rules]]",
            f'{ENDLESS}\nlimits = {{ start = "P1D" }}\n[[rules]]',
            "abandonment journey.limits: no phase 'start' in this model",
        ),
        (
            "[[rules]]",
            '[[causes]]\nid = "rain"\ntouchpoints = []\nwithin = "PT1M"\n[[rules]]',
            "causes.0.touchpoints: Tuple should have at least 1",
        ),
    ],
)
def test_a_bad_model_is_refused_with_file_place_and_reason(
    right: str, wrong: str, complaint: str, tmp_path: Path
) -> None:
    path = tmp_path / "own.toml"
    path.write_text(SMALLEST)
    assert load_model(str(path)).id == "small"
    path.write_text(SMALLEST.replace(right, wrong, 1))
    with pytest.raises(BadModel) as refusal:
        load_model(str(path))
    assert str(refusal.value).startswith(f"{path}: {complaint}")


def test_a_model_in_another_encoding_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "own.toml"
    path.write_bytes(SMALLEST.replace("After", "Später").encode("latin-1"))
    with pytest.raises(BadModel, match=r"own\.toml: not UTF-8: save it as UTF-8"):
        load_model(str(path))


def test_who_misspells_a_shipped_model_is_told_which_there_are() -> None:
    with pytest.raises(
        BadModel, match=r"^livecycle: neither a readable file nor a shipped model \(.*lifecycle"
    ):
        load_model("livecycle")


def test_a_setting_without_a_model_is_refused() -> None:
    with pytest.raises(BadModel, match=r"^journey_models: name at least one model"):
        load_models([])


def test_two_models_of_one_id_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "own.toml"
    path.write_text(SMALLEST.replace('id = "small"', 'id = "aida"'))
    with pytest.raises(BadModel, match=r"^journey_models: 2 models have the id 'aida'"):
        load_models(["aida", str(path)])


def test_a_phase_that_no_rule_leads_to_is_named_and_not_refused(tmp_path: Path) -> None:
    path = tmp_path / "own.toml"
    path.write_text(SMALLEST.replace('phase = "after"', 'phase = "before"'))
    assert load_model(str(path)).unreached == ("after",)


def test_a_rule_with_conditions_of_its_own_may_stand_before_a_plain_one() -> None:
    plain = Rule(id="a", phase="p", touchpoints=("Product Viewed",))
    picky = plain.model_copy(update={"times": 3})
    assert plain.decides_before(picky) == {"Product Viewed"}
    assert picky.decides_before(plain) == set()


def test_of_two_rules_with_the_same_conditions_the_second_never_decides() -> None:
    names = ("Product Viewed", "Page Viewed")
    first = Rule(id="a", phase="p", touchpoints=names, history="after_purchase")
    second = first.model_copy(update={"id": "b", "phase": "q", "touchpoints": names[:1]})
    assert first.decides_before(second) == {"Product Viewed"}
    assert first.decides_before(second.model_copy(update={"history": "before_purchase"})) == set()


def test_all_shipped_models_are_enabled_and_the_lifecycle_is_the_default() -> None:
    enabled = Settings(_secrets_dir=None).journey_models
    assert enabled[0] == "lifecycle"
    assert {model.id for model in load_models(enabled)} == {model.id for model in MODELS}
