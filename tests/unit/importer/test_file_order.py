"""Rows of one time: the order of the file, whatever files they come in."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from pipeline.importer.mapping import parse_mapping
from pipeline.importer.plan import Plan
from pipeline.importer.rows import ImportFailed, Unreadable
from schemas.codec import decode_touchpoint
from schemas.dead_letter import Reason
from schemas.touchpoint import Touchpoint

NOW = datetime(2026, 1, 2, tzinfo=UTC)
MAPPING = """
channel = "shop"
[columns]
occurred_at = "when"
anonymous_id = "who"
name = "what"
title = "n"
"""

Row = dict[str, Any]


def row(who: str, second: int, what: str, **more: str) -> Row:
    return {"who": who, "when": f"2026-01-01T12:00:{second:02}Z", "what": what, **more}


def planned(*files: Sequence[Row], mapping: str = MAPPING) -> list[Touchpoint]:
    plan = Plan(parse_mapping(mapping, "m.toml"), "shop", NOW)
    for number, rows in enumerate(files):
        plan.open(f"{number}.csv")
        for each in rows:
            plan.add(each)
    return [decode_touchpoint(outgoing.value) for outgoing in plan.in_order()]


def orders(touchpoints: Sequence[Touchpoint]) -> dict[str, int]:
    return {each.touchpoint_id: each.sequence for each in touchpoints}


rows = st.lists(
    st.builds(row, st.sampled_from("abc"), st.integers(0, 3), st.sampled_from("xyz")),
    min_size=1,
    max_size=30,
).map(lambda said: [{**each, "n": str(n)} for n, each in enumerate(said)])


def of_one(said: Sequence[Row], who: str, when: str) -> list[Row]:
    return [each for each in said if (each["who"], each["when"]) == (who, when)]


@given(said=rows, data=st.data())
def test_rows_of_one_time_keep_the_order_of_the_file_however_it_is_cut(
    said: list[Row], data: st.DataObject
) -> None:
    together = orders(planned(said))
    ids = {each["n"]: made.touchpoint_id for each, made in zip(said, _unsorted(said), strict=True)}
    for each in said:
        same = of_one(said, each["who"], each["when"])
        assert [together[ids[one["n"]]] for one in same] == list(range(len(same)))
    groups = sorted({(each["who"], each["when"]) for each in said})
    files: list[list[Row]] = [[], [], []]
    for who, when in data.draw(st.permutations(groups)):
        files[data.draw(st.integers(0, 2))] += of_one(said, who, when)
    assert orders(planned(*filter(None, files))) == together


def _unsorted(said: Sequence[Row]) -> list[Touchpoint]:
    return [planned([each])[0] for each in said]


def test_a_column_with_the_order_goes_before_the_order_of_the_rows() -> None:
    mapping = MAPPING + 'sequence = "n"\n'
    made = planned([row("a", 0, "x", n="7"), row("a", 0, "y", n="3")], mapping=mapping)
    assert {each.name: each.sequence for each in made} == {"x": 7, "y": 3}


@pytest.mark.parametrize(
    ("told", "order"), [("3.0", 3), ("NaN", 0), ("null", 0), ("-", 0), (3.0, 3), (float("nan"), 0)]
)
def test_a_column_of_numbers_with_gaps_gives_an_order(told: object, order: int) -> None:
    mapping = MAPPING.replace('title = "n"', 'sequence = "n"')
    [made] = planned([{**row("a", 0, "x"), "n": told}], mapping=mapping)
    assert made.sequence == order


@pytest.mark.parametrize("told", ["-1", "1.5", "first", "9007199254740992"])
def test_an_order_that_is_no_number_to_count_with_refuses_its_row(told: str) -> None:
    mapping = MAPPING + 'sequence = "n"\n'
    plan = Plan(parse_mapping(mapping, "m.toml"), "shop", NOW)
    plan.open("f.csv")
    plan.add(row("a", 0, "x", n="1"))
    plan.add(row("a", 0, "y", n=told))
    [letter] = plan.letters()
    assert (letter.reason, letter.position) == ("invalid_field", 2)


# --- times that say less than they seem to -----------------------------------------------------

BERLIN = MAPPING + '[time]\nformat = "%Y-%m-%d %H:%M"\nzone = "Europe/Berlin"\n'


def at_local(*clocks: str, mapping: str = BERLIN) -> list[str]:
    rows = [
        {"who": "a", "what": "x", "when": f"2025-10-26 {clock}", "n": clock} for clock in clocks
    ]
    plan = Plan(parse_mapping(mapping, "m.toml"), "shop", NOW)
    plan.open("f.csv")
    for each in rows:
        plan.add(each)
    return [f"{outgoing.occurred_at:%H:%M}" for outgoing in plan.in_order()]


def test_the_hour_that_exists_twice_goes_on_where_the_file_is() -> None:
    """In Berlin 02:00 to 03:00 comes twice: from 00:00 and from 01:00 UTC."""
    clocks = ("01:50", "02:10", "02:50", "02:05", "02:40", "03:10")
    assert at_local(*clocks) == ["23:50", "00:10", "00:50", "01:05", "01:40", "02:10"]


# The moment at which the clocks go back: by an hour, on Lord Howe by half an hour.
CHANGES = {
    "Europe/Berlin": datetime(2025, 10, 26, 1, tzinfo=UTC),
    "America/New_York": datetime(2025, 11, 2, 6, tzinfo=UTC),
    "America/Sao_Paulo": datetime(2018, 2, 18, 2, tzinfo=UTC),
    "Australia/Lord_Howe": datetime(2026, 4, 4, 15, tzinfo=UTC),
}


@given(
    st.sampled_from(sorted(CHANGES)),
    st.lists(st.integers(1, 600), min_size=30, max_size=60),
    st.booleans(),
)
def test_a_file_across_the_change_of_clocks_is_read_forwards_and_backwards(
    zone: str, steps: list[int], is_falling: bool
) -> None:
    at = CHANGES[zone] - timedelta(minutes=90)
    moments = [at := at + timedelta(seconds=step) for step in (1800, *steps, 1200)]
    assume(moments[-1] >= CHANGES[zone])  # else nothing tells which of the two hours it was
    told = [f"{each.astimezone(ZoneInfo(zone)):%Y-%m-%d %H:%M:%S}" for each in moments]
    told = ["2015-01-01 00:00:00", *told, "2026-09-01 00:00:00", "2026-09-02 00:00:00"]
    mapping = MAPPING + f'[time]\nformat = "%Y-%m-%d %H:%M:%S"\nzone = "{zone}"\n'
    plan = Plan(parse_mapping(mapping, "m.toml"), "shop", datetime(2026, 11, 1, tzinfo=UTC))
    plan.open("f.csv")
    for number, each in enumerate(reversed(told) if is_falling else told):
        plan.add({"who": "a" if number % 5 else "", "what": "x", "when": each})
    read = [outgoing.occurred_at for outgoing in plan.in_order()]
    assert set(read) - set(moments) <= {
        datetime.fromisoformat(each).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)
        for each in (told[0], *told[-2:])
    }


@pytest.mark.parametrize(
    ("zone", "told", "at"),
    [
        ("Europe/Berlin", "2025-03-30 02:30", "01:30"),
        ("America/New_York", "2025-03-09 02:30", "07:30"),
        ("America/Sao_Paulo", "2018-11-04 00:00", "03:00"),
        ("Australia/Lord_Howe", "2025-10-05 02:10", "15:40"),
    ],
)
def test_a_time_that_the_change_to_summer_leaves_out_is_that_much_later(
    zone: str, told: str, at: str
) -> None:
    mapping = MAPPING + f'[time]\nformat = "%Y-%m-%d %H:%M"\nzone = "{zone}"\n'
    plan = Plan(parse_mapping(mapping, "m.toml"), "shop", datetime(2026, 11, 1, tzinfo=UTC))
    plan.open("f.csv")
    plan.add({"who": "a", "what": "x", "when": told})
    [outgoing] = plan.in_order()
    assert f"{outgoing.occurred_at:%H:%M}" == at


def test_times_may_be_written_in_several_ways() -> None:
    formats = '["%d.%m.%Y %H:%M:%S", "%d.%m.%Y %H:%M", "%d.%m.%y", "epoch_s"]'
    plan = Plan(parse_mapping(MAPPING + f"[time]\nformat = {formats}\n", "m.toml"), "shop", NOW)
    plan.open("f.csv")
    for told in ("29.11.2024 14:03:59", "29.11.2024 14:03", "29.11.24", "1732838400", "then"):
        plan.add({"who": "a", "what": "x", "when": told})
    assert [f"{each.occurred_at:%d %H:%M:%S}" for each in plan.in_order()] == [
        *("29 00:00:00", "29 00:00:00", "29 14:03:00", "29 14:03:59")
    ]
    assert [(letter.reason, letter.position) for letter in plan.letters()] == [("invalid_time", 5)]


@pytest.mark.parametrize(
    ("format_", "told"), [("epoch_ms", "1735689600"), ("epoch_s", "45000"), ("epoch_s", "0")]
)
def test_a_number_that_is_too_small_for_its_unit_refuses_its_row(format_: str, told: str) -> None:
    mapping = parse_mapping(MAPPING + f'[time]\nformat = "{format_}"\n', "m.toml")
    plan = Plan(mapping, "shop", NOW)
    plan.open("f.csv")
    good = "1735689600" + ("000" if format_ == "epoch_ms" else "")
    plan.add({"who": "a", "what": "x", "when": good})
    plan.add({"who": "a", "what": "y", "when": told})
    assert [(letter.reason, letter.position) for letter in plan.letters()] == [("invalid_time", 2)]


def test_of_rows_that_could_not_be_read_no_column_is_said_to_be_missing() -> None:
    plan = Plan(parse_mapping(MAPPING, "m.toml"), "shop", NOW)
    plan.open("a.csv")
    plan.add(Unreadable(b"a,b,c", Reason.INVALID_FIELD, "5 cells under 4 columns"))
    assert plan.unknown() == []
    with pytest.raises(ImportFailed) as why:
        plan.in_order()
    assert "no row has" not in str(why.value)


@pytest.mark.parametrize(
    ("told", "utc"),
    [
        ("Sun, 06 Nov 1994 08:49:37 GMT", "1994-11-06T08:49:37"),
        ("Sun Nov 06 1994 09:49:37 GMT+0100 (CET)", "1994-11-06T08:49:37"),
        *((told, "2001-09-09T01:46:40") for told in ("1000000000", "1000000000000", 1e9)),
        ("2001-09-09 01:46:40 UTC", "2001-09-09T01:46:40"),
        ("2001-09-09 03:46:40 +0200", "2001-09-09T01:46:40"),
        ("2001/09/09 03:46:40", "2001-09-09T01:46:40"),
        ("20010909034640", "2001-09-09T01:46:40"),
        ("Sun, 09 Sep 2001 03:46:40", "2001-09-09T01:46:40"),
    ],
)
def test_a_time_that_can_mean_only_one_thing_is_read_as_at_the_collector(
    told: object, utc: str
) -> None:
    mapping = MAPPING + '[time]\nzone = "Europe/Berlin"\n'
    (only,) = planned([{"who": "a", "what": "x", "when": told}], mapping=mapping)
    assert only.occurred_at == datetime.fromisoformat(utc).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("told", "advice"),
    [
        *((told, '"epoch_s" or "epoch_ms"') for told in ("46346.4166667", 1234, "1.7951688E+9")),
        *((told, 'format = "%d.%m.%Y') for told in ("20.11.2025 10:00", "01/02/2025", "10 PM")),
        ("Sun, 06 Nov 1994 08:49:37 CET", 'format = "%d.%m.%Y'),
        ("Nov 6, 1994, 8:49:37 PM", 'format = "%d.%m.%Y'),
    ],
)
def test_a_time_that_can_not_be_read_says_what_to_write(told: object, advice: str) -> None:
    with pytest.raises(ImportFailed) as failed:
        planned([{"who": "a", "what": "x", "when": told}])
    assert advice in str(failed.value)
