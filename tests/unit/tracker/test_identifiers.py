"""What a touchpoint tells of who its visitor is."""

from typing import Any

import pytest

from pipeline.tracker.identifiers import read_identifiers
from schemas.codec import decode_touchpoint
from schemas.topics import LINKS
from schemas.touchpoint import visitor_of
from tests.support.journeys import NOON
from tests.support.tracker import log_of, run, touchpoint, written


def told(**fields: Any) -> tuple[str, ...]:
    read = decode_touchpoint(touchpoint("a", NOON, **fields))
    return read_identifiers(read, visitor_of(read.anonymous_id, read.user_id))


def test_an_alias_tells_of_the_user_and_the_device_of_before() -> None:
    identifiers = told(anonymous_id="ada", type="alias", user_id="7", previous_id="9")
    assert identifiers == ("user:7", "user:9", "9")


def test_an_alias_of_the_device_itself_tells_of_the_user_alone() -> None:
    assert told(anonymous_id="ada", type="alias", user_id="7", previous_id="ada") == ("user:7",)


def test_an_alias_of_nobody_joins_nobody() -> None:
    assert told(anonymous_id="ada", type="alias", user_id="7", previous_id="null") == ("user:7",)


@pytest.mark.parametrize("nobody", ["null", "undefined", "Guest", "0"])
def test_a_device_without_a_name_of_its_own_is_nobodys(nobody: str) -> None:
    assert told(anonymous_id=nobody, user_id="7") == ()


@pytest.mark.parametrize("name", ["customer_id", "email_sha256", "email_hash", "subscriber_id"])
def test_a_value_too_long_for_a_row_is_still_one_and_the_same(name: str) -> None:
    def names(value: str) -> tuple[str, ...]:
        return told(anonymous_id="ada", properties={name: value})

    [long] = names("x" * 5000)
    assert len(long) <= 64
    assert names("x" * 5000) == (long,)
    assert names("x" * 4999 + "y") != (long,)
    for length in range(100, 140):
        log = log_of(touchpoint("a", NOON, anonymous_id="ada", properties={name: "x" * length}))
        assert [row.visitor_id for row in written(run(log), LINKS.name)] == ["ada"]


def test_what_a_visitor_carries_may_stand_among_its_traits() -> None:
    traits = {"customer_id": "c-1", "email_sha256": "e-1"}
    assert told(anonymous_id="ada", properties={"traits": traits}) == ("customer:c-1", "email:e-1")


def test_a_user_without_a_name_of_its_own_is_nobody() -> None:
    assert told(user_id="null", properties={"email_sha256": "e-1"}) == ()


def test_an_address_is_one_in_capitals_too_and_a_number_of_a_customer_is_another() -> None:
    assert told(properties={"email_sha256": "AB"}, anonymous_id="ada") == ("email:ab",)
    assert told(properties={"customer_id": "AB"}, anonymous_id="ada") == ("customer:AB",)


def test_what_only_looks_like_identifiers_names_nobody() -> None:
    assert told(anonymous_id="ada", properties={"traits": "email_hash"}) == ()
