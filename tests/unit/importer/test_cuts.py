"""An import gives the same whatever way its rows are cut into files and runs."""

import asyncio
from datetime import UTC, datetime, timedelta
from functools import cache

from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.importer.files import rows_of
from pipeline.importer.mapping import parse_mapping
from pipeline.importer.send import load_mapping
from tests.support.cuts import Row, tables_of
from tests.support.puffy import MAPPINGS, puffy_files

MAPPING = parse_mapping(
    """
    channel = "shop"
    numbers = ["revenue"]

    [columns]
    occurred_at = "at"
    anonymous_id = "who"
    user_id = "user"
    name = "what"
    """,
    "cuts.toml",
)
START = datetime(2025, 3, 1, tzinfo=UTC)
WHATS = ("Page Viewed", "Product Viewed", "Product Added", "Checkout Started", "Order Completed")


def row(minute: int, who: str, what: str, user: str) -> Row:
    at = (START + timedelta(minutes=minute)).isoformat()
    return {"at": at, "who": who, "what": what, "user": user, "n": f"{minute}-{who}-{what}"}


minutes = st.integers(0, 3 * 24 * 60)
rows = st.lists(
    st.builds(
        row, minutes, st.sampled_from("abc"), st.sampled_from(WHATS), st.sampled_from(["7", "", ""])
    ),
    min_size=1,
    max_size=25,
    unique_by=lambda one: one["n"],
).map(lambda found: sorted(found, key=lambda one: one["at"]))


def windows(rows: list[Row], places: list[int], overlap: timedelta) -> list[list[Row]]:
    """Cut `rows` at `places`; each run begins `overlap` before the one before it has ended."""
    ends = sorted({row["at"] for row in rows})
    cuts = sorted({ends[place % len(ends)] for place in places} | {ends[-1]})
    runs, begin = [], ""
    for cut in cuts:
        runs.append([row for row in rows if begin < row["at"] <= cut])
        begin = (datetime.fromisoformat(cut) - overlap).isoformat()
    return runs


@settings(max_examples=60)
@given(rows, st.lists(st.integers(0, 24), max_size=4), st.integers(0, 24))
def test_oldest_first_overlapping_and_again_is_as_all_at_once(
    rows: list[Row], places: list[int], hours: int
) -> None:
    runs = windows(rows, places, timedelta(hours=hours))
    again = [*runs, runs[-1]]
    assert asyncio.run(tables_of(again, MAPPING)) == asyncio.run(tables_of([rows], MAPPING))


def test_the_first_hour_of_the_next_day_is_not_late() -> None:
    evening, night = (
        row(23 * 60 + 50, "a", "Product Added", ""),
        row(24 * 60 + 5, "a", "Order Completed", ""),
    )
    tables = asyncio.run(tables_of([[evening], [night]], MAPPING))
    assert [found["is_late"] for found in tables["touchpoints"].values()] == [False, False]
    (session,) = tables["sessions"].values()
    assert (session["touchpoints"], session["orders_told"]) == (2, 1)
    assert [found for found in tables["abandonments"].values() if found["kind"] == "cart"] == []


def named(one: Row) -> str:
    return str(one.get("client_id") or one.get("clientId"))


@cache
def puffy_days() -> list[list[Row]]:
    """One visitor of twenty, and all who bought something, day by day."""
    mapping = load_mapping(MAPPINGS / "puffy.toml")
    days = [
        [r for r in rows_of(path, mapping.file) if isinstance(r, dict)] for path in puffy_files()
    ]
    buyers = {
        named(one) for day in days for one in day if one["event_name"] == "checkout_completed"
    }
    return [[one for one in day if named(one) in buyers or named(one)[-1:] == "a"] for day in days]


def test_a_real_shops_days_one_by_one_are_as_all_at_once() -> None:
    mapping, days = load_mapping(MAPPINGS / "puffy.toml"), puffy_days()
    together = asyncio.run(tables_of([[one for day in days for one in day]], mapping))
    assert asyncio.run(tables_of(days, mapping)) == together
    assert asyncio.run(tables_of([*days, days[-1], days[-2]], mapping)) == together
