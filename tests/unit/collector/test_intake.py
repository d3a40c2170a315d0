"""One Segment call in, one touchpoint or one refusal out."""

import json
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.collector.answers import STATUSES
from pipeline.collector.arrival import Arrival, browser
from pipeline.collector.collect import Collected, collect
from pipeline.collector.intake import Intake, Limits
from pipeline.collector.request import Request
from pipeline.collector.vocabularies.routes import ROUTES
from pipeline.collector.vocabularies.segment import batch, write_key
from pipeline.kafka.records import Record
from pipeline.privacy.addresses import names_somebody, truncated_ip
from pipeline.privacy.masking import Masks
from schemas.codec import Refused, decode_touchpoint, encode
from schemas.dead_letter import DeadLetter, Reason
from schemas.touchpoint import Touchpoint, TouchpointType

EXAMPLES = sorted((Path(__file__).parents[3] / "schemas" / "examples" / "segment").glob("*.json"))
LIMITS = Limits(bytes=32_768, depth=8, age=timedelta(days=30))
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)
DAY = timedelta(days=1)

KINDS: dict[str, TouchpointType] = {
    word[0]: word for word in ("track", "page", "screen", "identify", "alias", "group")
}

intake = Intake(LIMITS)


def arrival(**said: Any) -> Arrival:
    return Arrival(site="shop", received_at=NOON, ip="192.0.2.0", **said)


def collected(path: str, body: bytes) -> Collected:
    return collect(Request(body=body), ROUTES["POST", path], arrival(), intake, 100)


def track(**fields: Any) -> bytes:
    return json.dumps({"event": "Product Viewed", "anonymousId": "a-1", **fields}).encode()


def touchpoint(**fields: Any) -> Touchpoint:
    return Intake(LIMITS).touchpoint(track(**fields), arrival(), "track")


def refusal(raw: bytes) -> Reason:
    with pytest.raises(Refused) as refused:
        intake.touchpoint(raw, arrival(), "track")
    return refused.value.reason


def properties(of: Touchpoint) -> Any:
    return msgspec.json.decode(of.properties)


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_the_golden_example(path: Path) -> None:
    example = json.loads(path.read_text())
    request, expected = example["request"], example["expected"]
    raw = request["text"] if "text" in request else json.dumps(request["body"])
    intake = Intake(LIMITS)
    kind = KINDS.get(request["path"].removeprefix("/v1/")[0])
    if refused := expected.get("refused"):
        with pytest.raises(Refused) as refusal:
            intake.touchpoint(raw.encode(), arrival(), kind)
        assert refused == refusal.value.reason
        return
    made = intake.touchpoint(raw.encode(), arrival(), kind)
    Masks().cover(made)
    if "messageId" not in raw:
        expected["touchpoint_id"] = made.touchpoint_id
    assert expected == json.loads(encode(made))
    assert made == decode_touchpoint(encode(made))


class TestTime:
    def test_without_a_timestamp_it_occurred_when_it_arrived(self) -> None:
        assert (NOON, False) == when()

    def test_a_timestamp_in_another_zone_is_the_same_instant(self) -> None:
        assert (NOON, False) == when(timestamp="2026-01-01T14:00:00+02:00")

    def test_a_difference_of_149_seconds_is_the_way_of_the_request(self) -> None:
        sent, made = NOON - 149 * SECOND, NOON - 150 * SECOND
        assert (made, False) == when(timestamp=made.isoformat(), sentAt=sent.isoformat())

    def test_a_difference_of_exactly_150_seconds_is_a_wrong_clock(self) -> None:
        sent, made = NOON - 150 * SECOND, NOON - 151 * SECOND
        assert (NOON - SECOND, True) == when(timestamp=made.isoformat(), sentAt=sent.isoformat())

    def test_a_clock_that_is_150_seconds_fast_is_corrected_as_well(self) -> None:
        sent, made = NOON + 150 * SECOND, NOON + 149 * SECOND
        assert (NOON - SECOND, True) == when(timestamp=made.isoformat(), sentAt=sent.isoformat())

    def test_without_sent_at_the_clock_is_believed(self) -> None:
        made = NOON - 3600 * SECOND
        assert (made, False) == when(timestamp=made.isoformat())

    def test_the_original_timestamp_comes_before_the_one_that_others_corrected(self) -> None:
        made = NOON - 60 * SECOND
        assert (made, False) == when(originalTimestamp=made.isoformat(), timestamp=NOON.isoformat())

    def test_the_sent_at_of_a_batch_counts_for_calls_without_their_own(self) -> None:
        said = arrival(sent_at=NOON - 3600 * SECOND)
        call = track(timestamp=(NOON - 3660 * SECOND).isoformat())
        assert NOON - 60 * SECOND == intake.touchpoint(call, said, "track").occurred_at

    def test_a_day_ahead_is_clamped_to_the_arrival(self) -> None:
        assert (NOON, True) == when(timestamp=(NOON + DAY).isoformat())

    def test_more_than_a_day_ahead_is_refused(self) -> None:
        ahead = NOON + DAY + timedelta(microseconds=1)
        assert Reason.TIME_OUT_OF_RANGE == refusal(track(timestamp=ahead.isoformat()))

    def test_exactly_the_largest_age_is_taken(self) -> None:
        assert (NOON - LIMITS.age, False) == when(timestamp=(NOON - LIMITS.age).isoformat())

    def test_older_than_the_largest_age_is_refused(self) -> None:
        old = NOON - LIMITS.age - timedelta(microseconds=1)
        assert Reason.TIME_OUT_OF_RANGE == refusal(track(timestamp=old.isoformat()))

    def test_an_old_timestamp_of_a_slow_clock_is_taken_once_corrected(self) -> None:
        assert (NOON - SECOND, True) == when(
            timestamp="1970-01-01T00:00:59Z", sentAt="1970-01-01T00:01:00Z"
        )

    @pytest.mark.parametrize("extreme", ["0002-01-02T00:00:00+14:00", "9999-12-31T23:59:59Z"])
    def test_the_ends_of_time_are_out_of_range(self, extreme: str) -> None:
        assert Reason.TIME_OUT_OF_RANGE == refusal(track(timestamp=extreme))

    @pytest.mark.parametrize(
        "said", ["", "soon", "0001-01-01T00:00:00+14:00", "1969-12-31T00:00:00Z", "9999-12-31", {}]
    )
    def test_a_clock_that_cannot_be_read_corrects_nothing(self, said: Any) -> None:
        early = NOON - SECOND
        assert (early, False) == when(timestamp=early.isoformat(), sentAt=said)
        assert touchpoint(sentAt=said).sent_at is None


def when(**fields: Any) -> tuple[datetime, bool]:
    made = touchpoint(**fields)
    return made.occurred_at, made.ts_adjusted


def sent(
    times: list[datetime], now: datetime, sent_at: datetime | None = None, by: Intake | None = None
) -> list[datetime]:
    calls = [
        {"type": "track", "timestamp": each.isoformat(), "n": n} for n, each in enumerate(times)
    ]
    named = [{**each, "anonymousId": "ada", "event": "Product Viewed"} for each in calls]
    body = {"batch": named} | ({"sentAt": sent_at.isoformat()} if sent_at else {})
    request = Request(body=json.dumps(body).encode())
    way = ROUTES["POST", "/v1/batch"]
    made = collect(request, way, Arrival("shop", now), by or Intake(LIMITS), 100)
    assert made.refused == []
    return [decode_touchpoint(record.value or b"").occurred_at for _, record in made.records]


class TestWrongClocks:
    @given(
        lead=st.integers(1, 86_000_000),
        ages=st.lists(st.integers(0, 600_000), min_size=1, max_size=5),
        tells=st.booleans(),
    )
    def test_a_clock_that_is_ahead_keeps_the_distances_of_its_events(
        self, lead: int, ages: list[int], tells: bool
    ) -> None:
        clock = NOON + timedelta(milliseconds=lead)
        times = [clock - timedelta(milliseconds=age - min(ages)) for age in ages]
        found = sent(times, NOON, clock if tells else None)
        assert [NOON - each for each in found] == [clock - each for each in times]

    def test_an_event_of_tomorrow_does_not_move_its_neighbours_where_the_clock_is_told(
        self,
    ) -> None:
        times = [NOON - 9 * SECOND, NOON + 3600 * SECOND]
        assert sent(times, NOON, NOON) == [NOON - 9 * SECOND, NOON]

    def test_a_slow_request_is_not_a_slow_clock_once_a_quick_one_has_come(self) -> None:
        by = Intake(LIMITS)
        [second] = sent([NOON], NOON + SECOND, NOON + SECOND, by)
        [first] = sent([NOON - 30 * SECOND], NOON + 200 * SECOND, NOON - 29 * SECOND, by)
        assert (first, second) == (NOON - 30 * SECOND, NOON)

    def test_the_way_takes_ten_minutes_at_most(self) -> None:
        by = Intake(LIMITS)
        sent([NOON], NOON, NOON, by)
        late = NOON + 3600 * SECOND
        assert sent([NOON], late, NOON, by) == [late]

    def test_of_a_slow_clock_the_quickest_request_of_late_tells_by_how_much(self) -> None:
        by, slow = Intake(LIMITS), NOON - 3600 * SECOND
        assert sent([slow], NOON, slow, by) == [NOON]
        assert sent([slow + SECOND], NOON + 60 * SECOND, slow + SECOND, by) == [NOON + SECOND]


class TestIds:
    def test_without_message_id_the_same_bytes_at_the_same_time_are_one_touchpoint(self) -> None:
        assert touchpoint().touchpoint_id == touchpoint().touchpoint_id

    def test_without_message_id_the_same_bytes_a_second_later_are_another_touchpoint(self) -> None:
        later = Arrival(site="shop", received_at=NOON + SECOND)
        second = intake.touchpoint(track(), later, "track").touchpoint_id
        assert touchpoint().touchpoint_id != second

    def test_an_id_of_128_characters_is_taken(self) -> None:
        assert "ü" * 128 == touchpoint(anonymousId="ü" * 128).anonymous_id

    def test_an_escaped_backslash_before_u0000_is_no_nul(self) -> None:
        assert {"path": "C:\\u0000"} == properties(touchpoint(properties={"path": "C:\\u0000"}))


class TestLimits:
    def test_an_event_of_exactly_the_largest_size_is_taken(self) -> None:
        filler = LIMITS.bytes - len(track(properties={"a": ""}))
        assert "a-1" == touchpoint(properties={"a": "x" * filler}).anonymous_id

    def test_a_byte_more_is_too_large(self) -> None:
        filler = LIMITS.bytes - len(track(properties={"a": ""})) + 1
        assert Reason.TOO_LARGE == refusal(track(properties={"a": "x" * filler}))

    @pytest.mark.parametrize("where", ["properties", "context", "traits", "elsewhere"])
    def test_ten_thousand_levels_are_too_deep_wherever_they_stand(self, where: str) -> None:
        deep = b"[" * 10_000 + b"]" * 10_000
        raw = track(**{where: {"a": 1}}).replace(b'{"a": 1}', b'{"a": ' + deep + b"}")
        assert Reason.TOO_DEEP == refusal(raw)

    def test_256_keys_in_an_object_are_taken(self) -> None:
        keys = {f"key {number}": number for number in range(256)}
        assert keys == properties(touchpoint(properties=keys))


class TestArrival:
    def test_the_browser_of_the_request_stands_in_for_the_one_of_the_context(self) -> None:
        said = arrival(user_agent="Mozilla/5.0 (X11)")
        assert "Mozilla/5.0 (X11)" == intake.touchpoint(track(), said, "track").user_agent

    def test_the_user_agent_of_the_context_comes_first(self) -> None:
        said = arrival(user_agent="Mozilla/5.0 (X11)")
        call = track(context={"userAgent": "Mozilla/5.0 (iPhone)"})
        assert "Mozilla/5.0 (iPhone)" == intake.touchpoint(call, said, "track").user_agent

    def test_an_http_library_is_no_browser(self) -> None:
        assert "" == browser("python-requests/2.32")

    def test_a_tab_in_the_header_becomes_a_blank(self) -> None:
        assert "Mozilla/5.0 x" == browser("Mozilla/5.0\tx")

    @pytest.mark.parametrize(
        ("client", "network"),
        [
            ("203.0.113.77:51234", "203.0.113.0"),
            ("[2001:db8:1:2::3]:443", "2001:db8:1::"),
            ("2001:db8:1:2::3:443", "2001:db8:1::"),
            ("[::ffff:203.0.113.77]:80", "203.0.113.0"),
            ("a unix socket", ""),
        ],
    )
    def test_only_the_network_of_an_address_is_kept(self, client: str, network: str) -> None:
        assert network == truncated_ip(client)


class TestRequests:
    def test_the_good_calls_of_a_batch_are_taken_in_spite_of_the_bad_one(self) -> None:
        good = json.loads(track(type="track"))
        body = json.dumps({"batch": [good, {"type": "click"}, good]}).encode()
        taken = collected("/v1/batch", body)
        assert 2 == taken.accepted
        assert [(1, Reason.UNKNOWN_TYPE)] == [(i, why.reason) for i, why in taken.refused]

    def test_a_refused_call_becomes_a_dead_letter_that_gives_its_bytes_back(self) -> None:
        [(topic, record)] = collected("/v1/track", b'{"event": "\xff}').records
        letter = dead_letter_in(record)
        assert ("dead-letters", b"shop") == (topic, record.key)
        assert (b'{"event": "\xff}', "collect", Reason.NOT_JSON, "shop", 0) == (
            letter.raw(),
            letter.stage,
            letter.reason,
            letter.source,
            letter.position,
        )

    def test_a_body_that_is_no_batch_is_refused_as_one_call(self) -> None:
        taken = collected("/v1/batch", b'{"batch": 1}')
        assert (False, [(0, Reason.INVALID_FIELD)]) == (
            taken.is_batch,
            [(index, why.reason) for index, why in taken.refused],
        )

    def test_a_huge_refused_call_fits_into_a_kafka_record_even_escaped(self) -> None:
        [(_, record)] = collected("/v1/track", b"\x01" * 500_000).records
        assert 500_000 > len(record.value or b"")

    def test_the_write_key_is_found_without_reading_the_rest(self) -> None:
        assert "wk" == write_key(Request(body=b'{"batch": [{"type": 1}], "writeKey": "wk"}'))


def dead_letter_in(record: Record) -> DeadLetter:
    return msgspec.json.decode(record.value or b"", type=DeadLetter)


texts = st.text(max_size=40) | st.sampled_from(["x\n", "\x7f", "\0", "a" * 129, "a" * 4097])


def objects(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    keys = texts | st.sampled_from(["email", "url", "channel", "context"])
    return st.dictionaries(keys, inner, max_size=4)


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | texts,
    lambda inner: st.lists(inner, max_size=4) | objects(inner),
    max_leaves=12,
)
times = st.datetimes(
    min_value=datetime(2025, 12, 1),  # noqa: DTZ001 - hypothesis adds the zone
    max_value=datetime(2026, 1, 3),  # noqa: DTZ001
    timezones=st.sampled_from([UTC, timezone(timedelta(hours=2))]),
).map(datetime.isoformat)


fields: dict[str, st.SearchStrategy[Any]] = {
    "type": st.sampled_from(sorted(KINDS.values())),
    "event": texts,
    "messageId": texts,
    "anonymousId": texts | st.integers(),
    "userId": texts | st.integers() | st.none(),
    "previousId": texts,
    "groupId": texts,
    "name": texts,
    "timestamp": times,
    "originalTimestamp": times,
    "sentAt": times,
    "properties": objects(values),
    "traits": objects(values),
    "context": st.fixed_dictionaries(
        {},
        optional={
            "page": st.dictionaries(st.sampled_from(["url", "title", "referrer", "path"]), texts),
            "userAgent": texts,
            "locale": texts,
            "channel": st.just("store") | values,
            "ip": values,
        },
    ),
}
damage = st.dictionaries(st.sampled_from(sorted(fields)), values, max_size=1)
calls = st.builds(
    lambda call, harm: call | harm, st.fixed_dictionaries({}, optional=fields), damage
)


@given(calls)
def test_whatever_json_comes_it_is_a_touchpoint_of_the_contract_or_refused(
    call: dict[str, Any],
) -> None:
    taken = collected("/v1/page", track(**call))
    [(_, record)] = taken.records
    if taken.accepted:
        decode_touchpoint(record.value or b"")
    assert {why.reason for _, why in taken.refused} <= set(STATUSES)


@given(st.binary(max_size=200))
def test_whatever_bytes_come_they_are_refused_and_nothing_else_is_raised(raw: bytes) -> None:
    for read in (lambda: intake.touchpoint(raw, arrival()), lambda: batch(Request(body=raw))):
        with pytest.raises(Refused):
            read()


@given(st.emails(), st.sampled_from(["properties", "traits"]))
def test_no_mail_address_gets_through(address: str, where: str) -> None:
    made = intake.touchpoint(track(**{where: {"form": {"email": address}}}), arrival(), "identify")
    assert address not in bytes(made.properties).decode()
    assert names_somebody(address) == ("email_sha256" in bytes(made.properties).decode())


@pytest.mark.parametrize(
    ("event", "properties", "currency"),
    [
        ("Order Completed", {}, "EUR"),
        ("Product Added", {"currency": ""}, "EUR"),
        ("Order Completed", {"currency": "CHF"}, "CHF"),
        ("Colour Chosen", {}, None),
    ],
)
def test_a_shop_event_without_a_currency_has_that_of_its_site(
    event: str, properties: dict[str, Any], currency: str | None
) -> None:
    arrival = Arrival("shop", datetime(2026, 1, 1, 12, tzinfo=UTC), currency="EUR")
    call = json.dumps({"event": event, "anonymousId": "a", "properties": properties}).encode()
    reader = Intake(Limits(bytes=32_768, depth=8, age=timedelta(days=30)))
    made = reader.touchpoint(call, arrival, "track")
    assert currency == json.loads(bytes(made.properties)).get("currency")
