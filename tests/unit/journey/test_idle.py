"""Names in a model that can never have an effect."""

import pytest

from pipeline.journey.idle import idle_names
from schemas.journeys import SHIPPED, JourneyModel, load_model

MODEL = load_model("lifecycle")

SHIPPED_NAMES = sorted(path.stem for path in SHIPPED.glob("*.toml"))


def changed(**parts: object) -> JourneyModel:
    """Give the small model with other parts."""
    return JourneyModel.model_validate(MODEL.model_dump(mode="json") | parts)


@pytest.mark.parametrize("name", SHIPPED_NAMES)
def test_in_a_shipped_model_that_is_the_first_every_name_has_an_effect(name: str) -> None:
    model = load_model(name)
    assert idle_names(model, model) == []


@pytest.mark.parametrize("part", ["order", "refund", "cancellation"])
def test_what_only_the_first_model_says_has_no_effect_in_another_one(part: str) -> None:
    other = changed(id="other", **{part: ["Deal Done"]})
    [sentence] = idle_names(other, MODEL)
    assert sentence == (
        f"{part}: 'Deal Done' counts only where other is the first of "
        f"TOUCHSTREAM_JOURNEY_MODELS; now that is {MODEL.id}."
    )
    assert idle_names(other, other) == []


def test_abandonment_and_causes_of_another_model_have_no_effect() -> None:
    opens = {"kind": "cart", "opens": ["Bag Filled"], "timeout": "PT30M", "recovery": "P7D"}
    cause = {"id": "rain", "touchpoints": ["Rain Began"], "within": "PT1H"}
    found = idle_names(changed(id="other", abandonment=[opens], causes=[cause]), MODEL)
    assert [sentence.split(" counts")[0] for sentence in found] == [
        "abandonment cart: 'Bag Filled'",
        "cause rain: 'Rain Began'",
    ]


def test_a_name_with_blanks_around_it_is_never_sent() -> None:
    padded = changed(order=["Order Completed", " Deal Done"])
    assert idle_names(padded, padded) == [
        "' Deal Done' is no touchpoint's name: those have no blanks around them."
    ]


def test_a_name_belongs_to_the_first_of_two_causes() -> None:
    causes = [
        {"id": id_, "touchpoints": ["Payment Failed"], "within": "PT1H"} for id_ in ("card", "bank")
    ]
    model = changed(causes=causes)
    assert idle_names(model, model) == [
        "cause bank: 'Payment Failed' always belongs to cause card."
    ]
