"""Funnels over random journeys: what ClickHouse says is what trying out every passage says."""

import uuid
from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import combinations, product
from statistics import median, quantiles
from typing import NamedTuple

import msgspec
import pytest
from clickhouse_connect.driver.client import Client
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.reports.funnel.answer import Reached, read_funnel
from pipeline.reports.funnel.question import (
    Order,
    Question,
    Step,
    Unit,
    parse_steps,
)
from pipeline.reports.span import Span
from schemas.fields import Channel
from schemas.touchpoint import Touchpoint
from tests.support.database import insert_json, migrated_database, track
from tests.support.engine import EngineServer

NOON = datetime(2025, 3, 1, 12, tzinfo=UTC)
TICK = timedelta(minutes=10)
SESSION_GAP = 3
"""In ticks: half an hour."""

FUNNELS = (
    "A > B > C",
    "A > B",
    "A[channel=email] > B > A",
    "A > A[channel=email] > B",
    "A > A > A",
)
FREE = ("A > B > C", "B > A", "A[channel=email] > A > B")


CHANNELS: tuple[Channel, Channel] = ("email", "shop")


class Seen(NamedTuple):
    """A touchpoint, its time in ticks."""

    visitor: str
    at: int
    name: str
    channel: Channel


class Passage(NamedTuple):
    """How far a unit came, when it was at each step up to there, and the value at the first."""

    level: int
    times: tuple[int, ...]
    value: str


SEEN = st.builds(
    Seen,
    visitor=st.sampled_from(["phone", "desk", "till", "tablet"]),
    at=st.integers(0, 14),
    name=st.sampled_from("AABBCX"),
    channel=st.sampled_from(CHANNELS),
)
PERSONS = st.dictionaries(st.sampled_from(["phone", "desk"]), st.sampled_from(["ada", "bob"]))


@pytest.fixture(scope="module")
def client(engine: EngineServer) -> Iterator[Client]:
    with migrated_database(engine) as client:
        yield client


@settings(max_examples=8)
@given(
    journeys=st.lists(SEEN, max_size=28),
    persons=PERSONS,
    unit=st.sampled_from(["person", "visitor", "session"]),
    window=st.sampled_from([1, 3, 4, 9]),
    data=st.data(),
)
def test_the_engine_finds_what_trying_out_every_passage_finds(
    client: Client,
    journeys: list[Seen],
    persons: dict[str, str],
    unit: Unit,
    window: int,
    data: st.DataObject,
) -> None:
    site = write(client, journeys, persons)
    units = list(units_of(journeys, persons, unit))
    for order in ("strict", "ordered", "unordered"):
        steps = parse_steps(data.draw(st.sampled_from(FREE if order == "unordered" else FUNNELS)))
        question = Question(steps=steps, order=order, unit=unit, window=window * TICK, by="channel")
        answer = read_funnel(client, Span(site=site), question)
        found = {unit: passage(seen, steps, order, window) for unit, seen in enumerate(units)}
        assert answer.steps == expected(steps, units, list(found.values()))
        assert {part.value: part.steps for part in answer.parts} == {
            value: expected(
                steps,
                [units[unit] for unit, way in found.items() if way and way.value == value],
                [way for way in found.values() if way and way.value == value],
            )
            for value in {way.value for way in found.values() if way}
        }


def write(client: Client, journeys: Iterable[Seen], persons: dict[str, str]) -> str:
    site = uuid.uuid4().hex
    track(client, [touchpoint(site, number, seen) for number, seen in enumerate(journeys)])
    links = [{"site": site, "visitor_id": v, "person_id": p} for v, p in persons.items()]
    insert_json(client, "identities", map(msgspec.json.encode, links))
    return site


def touchpoint(site: str, number: int, seen: Seen) -> Touchpoint:
    return Touchpoint(
        touchpoint_id=f"{site}-{number}",
        site=site,
        type="track",
        name=seen.name,
        channel=seen.channel,
        occurred_at=NOON + seen.at * TICK,
        received_at=NOON,
        properties=msgspec.Raw(b"{}"),
        anonymous_id=seen.visitor,
    )


def units_of(journeys: Iterable[Seen], persons: dict[str, str], unit: Unit) -> Iterator[list[Seen]]:
    units: dict[str, list[Seen]] = defaultdict(list)
    for seen in sorted(journeys, key=lambda seen: seen.at):
        units[persons.get(seen.visitor, seen.visitor) if unit == "person" else seen.visitor] += [
            seen
        ]
    for journey in units.values():
        yield from sessions_of(journey) if unit == "session" else [journey]


def sessions_of(journey: list[Seen]) -> Iterator[list[Seen]]:
    session = journey[:1]
    for seen in journey[1:]:
        if seen.at - session[-1].at > SESSION_GAP:
            yield session
            session = []
        session.append(seen)
    yield session


def passage(
    journey: list[Seen], steps: tuple[Step, ...], order: Order, window: int
) -> Passage | None:
    """Try out every choice of touchpoints, the longest first; None if it never begins."""
    journey = sorted(journey, key=lambda seen: (seen.at, *place(seen, steps)))
    find = anyhow if order == "unordered" else in_order
    for level in range(len(steps), 0, -1):
        if times := find(journey, steps[:level], order, window):
            at_first = [s.channel for s in journey if s.at == times[0] and is_step(s, steps[0])]
            reached = [max(times[: step + 1]) for step in range(level)]
            return Passage(level, tuple(reached), max(at_first))
    return None


def place(seen: Seen, steps: tuple[Step, ...]) -> tuple[int, list[bool]]:
    matches = [is_step(seen, step) for step in steps]
    return matches.index(True) if any(matches) else len(steps), matches


def is_step(seen: Seen, step: Step) -> bool:
    return seen.name == step.name and all(seen.channel == filter_.value for filter_ in step.filters)


def in_order(
    journey: list[Seen], steps: tuple[Step, ...], order: Order, window: int
) -> tuple[int, ...]:
    """Of the passages that end first the one that began last, and then its earliest steps."""
    found = [
        chosen
        for chosen in combinations(range(len(journey)), len(steps))
        if all(is_step(journey[c], step) for c, step in zip(chosen, steps, strict=True))
        and journey[chosen[-1]].at - journey[chosen[0]].at <= window
        and (order == "ordered" or chosen[-1] - chosen[0] == len(steps) - 1)
    ]
    if not found:
        return ()
    best = min(found, key=lambda chosen: (chosen[-1], -chosen[0], chosen))
    return tuple(journey[c].at for c in best)


def anyhow(
    journey: list[Seen], steps: tuple[Step, ...], _order: Order, window: int
) -> tuple[int, ...]:
    """Of the choices that are complete first the one with the newest touchpoints."""
    at = [[seen.at for seen in journey if is_step(seen, step)] for step in steps]
    found = [times for times in product(*at) if max(times) - min(times) <= window]
    return min(found, key=lambda times: (max(times), [-t for t in times]), default=())


def expected(
    steps: tuple[Step, ...], units: list[list[Seen]], found: list[Passage | None]
) -> tuple[Reached, ...]:
    counts = [sum(way.level > n for way in found if way) for n in range(len(steps))]
    return tuple(
        Reached(
            str(step),
            sum(any(is_step(seen, step) for seen in journey) for journey in units),
            counts[n],
            counts[n] / counts[0] if n and counts[0] else None,
            counts[n] / counts[n - 1] if n and counts[n - 1] else None,
            counts[n - 1] - counts[n] if n else None,
            *waits(
                [way.times[n] - way.times[n - 1] for way in found if n and way and way.level > n]
            ),
        )
        for n, step in enumerate(steps)
    )


def waits(ticks: list[int]) -> tuple[float | None, float | None]:
    seconds = [TICK.total_seconds() * tick for tick in ticks]
    if len(seconds) == 1:
        return seconds[0], seconds[0]
    if not seconds:
        return None, None
    return median(seconds), round(quantiles(seconds, n=10, method="inclusive")[8], 3)
