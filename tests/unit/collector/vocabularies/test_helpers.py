"""What all vocabularies share: fields that move, times that are numbers, products that fit."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from pipeline.collector.vocabularies.helpers import (
    first_of,
    instant,
    key_of,
    put_products,
    taken,
)
from schemas.codec import Refused
from schemas.dead_letter import Reason

CHAIR = {"product_id": "chair", "price": 119.9}
MILLISECOND = timedelta(milliseconds=1)


def with_products(name: str, properties: dict[str, Any], *products: dict[str, Any]) -> Any:
    put_products(name, properties, list(products))
    return properties


def test_one_product_stands_among_the_properties_of_what_happened_to_it() -> None:
    assert {"value": 1, **CHAIR} == with_products("Product Added", {"value": 1}, CHAIR)


def test_several_products_are_a_list() -> None:
    assert {"products": [CHAIR, CHAIR]} == with_products("Product Added", {}, CHAIR, CHAIR)


def test_the_product_of_an_order_is_a_list_of_one() -> None:
    assert {"products": [CHAIR]} == with_products("Order Completed", {}, CHAIR)


def test_a_product_that_contradicts_the_event_overwrites_nothing() -> None:
    told = {"price": 100, "products": [CHAIR]}
    assert told == with_products("Product Added", {"price": 100}, CHAIR)


def test_no_product_is_no_list() -> None:
    assert {} == with_products("Order Completed", {})


def test_of_two_keys_for_one_name_the_first_counts_and_the_other_stays() -> None:
    source = {"title": "a", "$title": "b", "x": 1}
    assert {"title": "a"} == taken(source, {"title": "title", "$title": "title"})
    assert {"$title": "b", "x": 1} == source


def test_the_first_that_is_not_empty_is_taken_and_the_others_stay() -> None:
    source = {"duid": "", "nuid": "n", "tnuid": "t"}
    assert "n" == first_of(source, ("duid", "nuid", "tnuid"))
    assert {"duid": "", "tnuid": "t"} == source


def test_a_key_is_a_text_that_is_not_empty() -> None:
    assert "k" == key_of([7, {}, {"aid": 7}, {"aid": ""}, {"aid": "k"}, {"aid": "l"}], "aid")
    assert key_of([{"aid": None}], "aid") is None


@pytest.mark.parametrize("number", [1767268800123, "1767268800123", 1767268800123.0])
def test_a_number_is_a_time_text_or_not(number: object) -> None:
    noon = datetime(2026, 1, 1, 12, 0, 0, 123_000, tzinfo=UTC)
    assert noon == instant(number, MILLISECOND)


@pytest.mark.parametrize("word", ["soon", None, [], {}])
def test_what_is_no_number_is_left_for_the_intake_to_judge(word: object) -> None:
    assert word == instant(word, MILLISECOND)


@pytest.mark.parametrize("number", ["1e30", "nan", "inf", -1e18])
def test_a_number_that_no_calendar_has_is_refused(number: object) -> None:
    with pytest.raises(Refused) as why:
        instant(number, MILLISECOND)
    assert Reason.INVALID_TIME == why.value.reason
