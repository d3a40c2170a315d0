"""What partitions tell each other, read from bytes that anybody may have written."""

from datetime import UTC, datetime

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from pipeline.journey.messages import (
    Assignment,
    Handover,
    Link,
    Message,
    decode_message,
    encode_message,
)
from pipeline.journey.state import Evidence
from schemas.times import LAST_MS, instant
from schemas.times import milliseconds as milliseconds_of
from tests.support.journeys import NOON

LINK = Link("shop", "ada", "user:u", NOON)
ASSIGNMENT = Assignment("shop", "ada", "bob", 0, LAST_MS)
HANDOVER = Handover("shop", "bob", "ada", 1, 0, [Evidence(NOON, "a", "Page Viewed")])


@pytest.mark.parametrize("message", [LINK, ASSIGNMENT, HANDOVER])
def test_a_message_is_read_as_it_was_written(message: Message) -> None:
    assert message == decode_message(encode_message(message))


@pytest.mark.parametrize(
    "forged",
    [
        replace(LINK, site="no slug"),
        replace(LINK, now=-1),
        replace(ASSIGNMENT, now=LAST_MS + 1),
        replace(ASSIGNMENT, epoch=-1),
        replace(HANDOVER, epoch=2**64),
        replace(HANDOVER, evidence=[Evidence(2**64, "a", "Page Viewed")]),
        replace(HANDOVER, evidence=[Evidence(NOON, "a", "Product Added", items=2**70)]),
    ],
)
def test_a_message_that_no_state_can_hold_is_refused(forged: Message) -> None:
    with pytest.raises(msgspec.ValidationError):
        decode_message(encode_message(forged))


def test_a_message_that_says_nothing_is_refused() -> None:
    with pytest.raises(msgspec.ValidationError, match="an empty message"):
        decode_message(b'{"link":null}')


@given(st.integers())
def test_every_number_of_milliseconds_is_some_time(milliseconds: int) -> None:
    assert 1970 <= instant(milliseconds).year <= 9999


def test_the_last_tick_there_can_be_is_a_time_that_messages_can_tell() -> None:
    last = milliseconds_of(datetime.max.replace(tzinfo=UTC))
    message = replace(LINK, now=last)
    assert (LAST_MS, message) == (last, decode_message(encode_message(message)))
    assert instant(last).year == 9999
