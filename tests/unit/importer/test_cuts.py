"""An import gives the same whatever way its rows are cut into files and runs."""

import asyncio
import os
from datetime import UTC, datetime, timedelta
from functools import cache

from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.importer.files import rows_of
from pipeline.importer.mapping import parse_mapping
from pipeline.importer.send import load_mapping
from pipeline.operations.comparison import Tables
from tests.support.cuts import Row, tables_of, visitor_in
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
LONG = os.environ.get("LONG") == "1"
PUFFY = load_mapping(MAPPINGS / "puffy.toml")
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


def windows(
    rows: list[Row], places: list[int], overlap: timedelta, time: str = "at"
) -> list[list[Row]]:
    """Cut `rows` at `places`; each run begins `overlap` before the one before it has ended."""
    at = [datetime.fromisoformat(row[time]) for row in rows]
    ends = sorted({*at})
    cuts = sorted({ends[place % len(ends)] for place in places} | {ends[-1]})
    runs, begin = [], START - timedelta(days=999)
    for cut in cuts:
        runs.append([row for row, when in zip(rows, at, strict=True) if begin < when <= cut])
        begin = cut - overlap
    return runs


@given(rows, st.lists(st.integers(0, 24), max_size=4), st.integers(0, 24), st.integers(1, 3))
def test_oldest_first_overlapping_and_again_is_as_all_at_once(
    rows: list[Row], places: list[int], hours: int, files: int
) -> None:
    runs = windows(rows, places, timedelta(hours=hours))
    cut = asyncio.run(tables_of([*runs, runs[-1]], MAPPING, files=files))
    assert cut == asyncio.run(tables_of([rows], MAPPING))


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


@cache
def puffy() -> list[list[Row]]:
    """One visitor of twenty, and all who bought something (not LONG: half of them), by day."""
    mapping = load_mapping(MAPPINGS / "puffy.toml")
    days = [
        [r for r in rows_of(path, mapping.file) if isinstance(r, dict)] for path in puffy_files()
    ]
    buyers = {visitor_in(r) for day in days for r in day if r["event_name"] == "checkout_completed"}
    ends = "a" if LONG else "a7"
    some = {one for one in buyers if LONG or one[-1] in "01234567"}
    return [
        [one for one in day if visitor_in(one) in some or visitor_in(one).endswith(ends)]
        for day in days
    ]


@cache
def puffy_together() -> Tables:
    return asyncio.run(tables_of([[one for day in puffy() for one in day]], PUFFY))


def test_a_real_shops_days_one_by_one_and_again_are_as_all_at_once() -> None:
    days = puffy()
    assert asyncio.run(tables_of([*days, days[-1], days[-2]], PUFFY)) == puffy_together()


@settings(max_examples=100 if LONG else 8)
@given(st.lists(st.integers(0, 10**6), max_size=12), st.integers(0, 72), st.integers(1, 4))
def test_a_real_shop_cut_anywhere_is_as_all_at_once(
    places: list[int], hours: int, files: int
) -> None:
    rows = [one for day in puffy() for one in day]
    runs = windows(rows, places, timedelta(hours=hours), "timestamp")
    assert asyncio.run(tables_of(runs, PUFFY, files=files)) == puffy_together()
