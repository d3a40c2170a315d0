"""Rows inside of what an API wraps around them."""

from typing import Any

import pytest

from pipeline.importer.mapping import parse_mapping
from pipeline.importer.rows import Row, Unreadable
from pipeline.importer.wrapped import unwrapped
from schemas.dead_letter import Reason

MAPPING = parse_mapping(
    'channel = "shop"\n[columns]\noccurred_at = "at"\nanonymous_id = "who"\nname = "what"\n', "m"
)
ONE, TWO = {"at": "2025-01-01", "who": "a"}, {"at": "2025-01-02", "who": "b"}


def rows(*given: Row | Unreadable) -> list[Row | Unreadable]:
    return list(unwrapped(given, MAPPING))


@pytest.mark.parametrize(
    "wrapper",
    [
        {"data": [ONE, TWO]},
        {"count": 2, "events": [ONE, TWO], "next": None, "tags": ["x"]},
        {"orders": [ONE, TWO], "refunds": []},
        {"hits": {"total": 2, "hits": [ONE, TWO]}},
    ],
)
def test_the_rows_of_a_wrapper_are_rows_whatever_it_calls_them(wrapper: Row) -> None:
    assert rows(wrapper, ONE) == [ONE, TWO, ONE]


@pytest.mark.parametrize(
    "row",
    [
        ONE | {"data": [TWO]},
        {"who": "a", "products": [{"sku": "x"}]},
        {"data": [ONE], "more": [TWO]},
        {"data": []},
        {},
    ],
)
def test_what_has_a_time_or_no_list_of_rows_or_two_is_no_wrapper(row: Row) -> None:
    assert rows(row) == [row]


def test_what_is_no_object_in_a_wrapper_is_refused_alone() -> None:
    broken: Any = 5
    assert rows({"data": [ONE, broken, TWO]}) == [
        ONE,
        Unreadable(b"5", Reason.NOT_AN_OBJECT, "not a JSON object"),
        TWO,
    ]
