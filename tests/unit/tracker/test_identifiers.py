"""What a touchpoint tells of who its visitor is."""

from typing import Any

import pytest

from pipeline.tracker.identifiers import read_identifiers
from schemas.codec import decode_touchpoint
from schemas.touchpoint import visitor_of
from tests.support.journeys import NOON
from tests.support.tracker import touchpoint


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


def test_a_user_without_a_name_of_its_own_is_nobody() -> None:
    assert told(user_id="null", properties={"email_sha256": "e-1"}) == ()
