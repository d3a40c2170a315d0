"""PURE: the calls of many people, in order of time."""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from heapq import heappop, heappush
from itertools import chain, takewhile
from random import Random

from pipeline.demo.simulation.personas import PERSONAS
from pipeline.demo.simulation.shopper import Call, Shopper

_CALLS_PER_PERSON = 9


def journeys(seed: int, people: int, start: datetime, end: datetime) -> Iterator[Call]:
    """Yield what `people`, who arrive between `start` and `end`, do until `end`.

    The same arguments give the same calls; another `start` gives other people.
    """
    rng = _rng(seed, start)
    arrivals = _spread(rng, people, start, end)
    return takewhile(lambda call: call["timestamp"] < end, _in_order(_people(rng, arrivals)))


def endless_journeys(
    seed: int, people: int, start: datetime, end: datetime, rate: float
) -> Iterator[Call]:
    """Yield the same as `journeys`, then what these people and more and more others do after `end`.

    Enough people come to reach about `rate` calls a second after some minutes.
    """
    rng = _rng(seed, start)
    arrivals = chain(_spread(rng, people, start, end), _arrivals(rng, end, rate))
    return _in_order(_people(rng, arrivals))


def _rng(seed: int, start: datetime) -> Random:
    return Random(f"{seed} {start.isoformat()}")  # noqa: S311 - it must be predictable


def _spread(rng: Random, people: int, start: datetime, end: datetime) -> list[datetime]:
    return sorted(start + (end - start) * rng.random() for _ in range(people))


def _arrivals(rng: Random, now: datetime, rate: float) -> Iterator[datetime]:
    while True:
        now += timedelta(seconds=rng.expovariate(rate / _CALLS_PER_PERSON))
        yield now


def _people(rng: Random, arrivals: Iterable[datetime]) -> Iterator[Shopper]:
    shares = [persona.share for persona in PERSONAS]
    for arrival in arrivals:
        [persona] = rng.choices(PERSONAS, shares)
        one = Shopper(rng, arrival, persona.name)
        persona.live(one)
        yield one


def _in_order(shoppers: Iterable[Shopper]) -> Iterator[Call]:
    """Merge the calls of people who come one after the other."""
    ahead: list[tuple[datetime, int, int, Call]] = []
    for number, one in enumerate(shoppers):
        while ahead and ahead[0][0] < one.calls[0]["timestamp"]:
            yield heappop(ahead)[-1]
        for place, call in enumerate(one.calls):
            heappush(ahead, (call["timestamp"], number, place, call))
    while ahead:
        yield heappop(ahead)[-1]
