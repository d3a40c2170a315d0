"""What becomes a dead letter, with which reason; and that nothing stops the tracker."""

import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pipeline.kafka.records import partition_for
from pipeline.tracker.items import LARGEST
from pipeline.tracker.partition import Partition
from schemas.dead_letter import DeadLetter
from schemas.topics import DEAD_LETTERS
from tests.support.journeys import DAY, NOON
from tests.support.tracker import Log, instant, log_of, run, touchpoint, written

ADA = b"shop:ada"


def refusal(value: bytes | None, key: bytes | None = ADA) -> DeadLetter:
    (letter,) = written(run(log_of(value, key=key)), DEAD_LETTERS.name)
    assert isinstance(letter, DeadLetter)
    return letter


def test_a_dead_letter_has_its_bytes_its_coordinates_and_its_reason() -> None:
    log = log_of(touchpoint("a", NOON))
    log.add(b'{"site": 1}', NOON + 7, b"shop:bob")
    output = run(log, partition=Partition(3), partitions=4)
    (letter,) = written(output, DEAD_LETTERS.name)
    assert (letter.source, letter.position, letter.at) == (
        "touchpoints.raw-3",
        1,
        instant(NOON + 7),
    )
    assert (letter.stage, letter.site, letter.raw()) == ("track", "shop", b'{"site": 1}')
    assert letter.reason == "invalid_field"
    assert output.reasons == {"invalid_field": 1}


@pytest.mark.parametrize(("more", "fate"), [(0, "sessionised"), (1, "dead_letter")])
def test_the_largest_touchpoint_is_taken_and_one_byte_more_is_not(more: int, fate: str) -> None:
    value = touchpoint("a", NOON)
    value += b" " * (LARGEST + more - len(value))
    assert run(log_of(value)).fates == {fate: 1}


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (None, "not_json"),
        (b"", "not_json"),
        (b"{", "not_json"),
        (b"\xff\xfe", "not_json"),
        (b"[" * 100_000, "not_an_object"),
        (b"[" * 1_000_000, "too_large"),
        (b"[]", "not_an_object"),
        (touchpoint("a", NOON, anonymous_id=""), "no_visitor_id"),
        (touchpoint("a", NOON, type="hit"), "unknown_type"),
        (touchpoint("a", NOON, channel="tv"), "unknown_channel"),
        (b'{"site":"shop"}', "missing_field"),
        (touchpoint("", NOON), "invalid_field"),
        (touchpoint("a", NOON, properties=[]), "invalid_field"),
        (touchpoint("a", NOON, received_at="noon"), "invalid_time"),
        (touchpoint("a", NOON, occurred_at="2026-01-01T12:00:00"), "invalid_time"),
        (touchpoint("a", NOON + DAY + 1), "time_out_of_range"),
        (touchpoint("a", 0), "time_out_of_range"),
        (touchpoint("a", -1), "time_out_of_range"),
        (touchpoint("a", -999), "time_out_of_range"),
        (b'{"tick":"noon"}', "invalid_field"),
        (b'{"tick":"2026-01-01T12:00:00Z","site":"\xff"}', "invalid_field"),
        (b'{"tick":"2026-01-01T12:00:00Z","more":' + b"[" * 100_000, "invalid_field"),
    ],
)
def test_each_kind_of_invalid_value_is_refused_for_its_reason(
    value: bytes | None, reason: str
) -> None:
    letter = refusal(value)
    assert (letter.reason, letter.raw()) == (reason, (value or b"")[:LARGEST])


def padded(length: int) -> bytes:
    """A touchpoint of exactly so many bytes."""
    short = touchpoint("a", NOON, properties={"pad": ""})
    return short.replace(b'"pad":""', b'"pad":"%b"' % (b"x" * (length - len(short))))


def test_a_touchpoint_of_the_largest_size_is_accepted_and_one_byte_more_is_not() -> None:
    assert run(log_of(padded(LARGEST))).fates == {"sessionised": 1}
    assert refusal(padded(LARGEST + 1)).reason == "too_large"


def test_a_value_that_is_too_large_keeps_its_beginning_and_says_so() -> None:
    letter = refusal(padded(LARGEST + 1))
    assert letter.raw() == padded(LARGEST + 1)[:LARGEST]
    assert letter.detail == "131073 bytes; the first 131072 are kept here"


@pytest.mark.parametrize("byte", [b'"', b"\x01", b"\xff"])
def test_every_dead_letter_fits_into_a_record_of_kafka(byte: bytes) -> None:
    (row,) = run(log_of(byte * 1_000_000)).rows[DEAD_LETTERS.name]
    assert len(row[1] or b"") < 1_000_000


@pytest.mark.parametrize("name", ["Product Added", "Page Viewed"])
def test_properties_that_are_not_text_are_refused(name: str) -> None:
    value = touchpoint("a", NOON, name=name, properties={"currency": "?"})
    assert refusal(value.replace(b"?", b"\xff")).reason == "not_json"


@pytest.mark.parametrize("at", [1, NOON + DAY])
def test_times_from_1970_to_a_day_ahead_of_the_log_are_accepted(at: int) -> None:
    assert run(log_of(touchpoint("a", at))).fates == {"sessionised": 1}


def test_a_record_without_a_key_or_a_site_has_no_site_in_its_dead_letter() -> None:
    assert refusal(b"{", key=None).site == ""
    assert refusal(b'{"site":"?"}', key=None).site == ""


@pytest.mark.parametrize("key", [None, b"", b"else:ada", b"shop:ada", b"\xff"])
@pytest.mark.parametrize(
    "value",
    [
        touchpoint("a", NOON, channel="tv"),
        touchpoint("a", NOON, channel="tv") + b"}",
        touchpoint("a", NOON, properties={"pad": "x" * LARGEST}),
        b'{"again":{"rebuild":1,"touchpoint":' + touchpoint("a", 0) + b"}}",
    ],
)
def test_a_dead_letter_has_the_site_that_its_text_names(value: bytes, key: bytes | None) -> None:
    assert refusal(value, key=key).site == "shop"


@pytest.mark.parametrize("key", [b"\xff\xfe", b"", b":", b"no colon", b"shop:\xff"])
def test_a_key_that_is_no_text_of_ours_stops_nothing(key: bytes) -> None:
    assert refusal(b"{", key=key).reason == "not_json"
    assert run(log_of(touchpoint("a", NOON), key=key)).fates == {"sessionised": 1}


def partition_of(key: bytes) -> int:
    return partition_for(key, 4)


def test_a_visitor_in_the_wrong_partition_is_refused() -> None:
    wrong = (partition_of(ADA) + 1) % 4
    output = run(log_of(touchpoint("a", NOON), key=None), partition=Partition(wrong), partitions=4)
    (letter,) = written(output, DEAD_LETTERS.name)
    assert (letter.reason, letter.source) == ("wrong_partition", f"touchpoints.raw-{wrong}")


def test_a_visitor_at_home_needs_no_key() -> None:
    home = Partition(partition_of(ADA))
    output = run(log_of(touchpoint("a", NOON), key=None), partition=home, partitions=4)
    assert output.fates == {"sessionised": 1}


def test_a_record_keyed_by_its_visitor_is_accepted_wherever_its_producer_puts_it() -> None:
    elsewhere = Partition((partition_of(ADA) + 1) % 4)
    output = run(log_of(touchpoint("a", NOON), key=ADA), partition=elsewhere, partitions=4)
    assert output.fates == {"sessionised": 1}


# --- anything at all ----------------------------------------------------------------------------

scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
anything = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner),
    max_leaves=5,
)
names = st.sampled_from(("Page Viewed", "Product Added", "Product Removed", "Order Completed"))
odd_numbers = st.sampled_from(("1e400", "-1e999", "9" * 400, "9" * 5000, "NaN", "0.1e-400"))
commerce = st.dictionaries(
    st.sampled_from(("price", "quantity", "revenue", "total", "value", "order_id", "currency")),
    anything | st.just("@"),
)


@st.composite
def almost_touchpoints(draw: st.DrawFn) -> bytes:
    """Touchpoints with some fields replaced by anything, and numbers that no float holds."""
    wrong = draw(
        st.dictionaries(
            st.sampled_from(("site", "url", "referrer", "user_agent", "user_id", "sent_at", "ip")),
            anything,
            max_size=2,
        )
    )
    fields = json.loads(touchpoint("t", NOON, name=draw(names), properties=draw(commerce)))
    text = json.dumps(fields | wrong).replace('"@"', draw(odd_numbers))
    value = bytearray(text.encode())
    for _ in range(draw(st.integers(0, 2))):
        value[draw(st.integers(0, len(value) - 1))] = draw(st.integers(0, 255))
    return bytes(value)


values = st.binary(max_size=40) | almost_touchpoints() | almost_touchpoints()
keys = st.none() | st.just(ADA) | st.binary(max_size=9)


@given(st.lists(st.tuples(values, keys), min_size=1, max_size=5))
@example([(b'{"tick":"0001-01-01T00:00:00+14:00"}', None)])
@example([(touchpoint("a", NOON, occurred_at="0001-01-01T00:00:00+14:00"), ADA)])
def test_no_record_stops_the_tracker_and_every_line_has_a_fate(
    records: list[tuple[bytes, bytes | None]],
) -> None:
    log = Log()
    lines = 0
    for value, key in records:
        log.add(value, NOON, key)
        lines += len([line for line in value.splitlines() if line]) if b"\n" in value else 1
    assert run(log).fates.total() == lines
