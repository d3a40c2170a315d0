"""Whom the collector lets in, and whom it lets wait."""

import asyncio
import base64
from dataclasses import dataclass, field
from ipaddress import ip_network
from typing import Any

import pytest

from pipeline.collector.answers import Problem, TurnedAway
from pipeline.collector.limits import guard as guard_
from pipeline.collector.limits.gate import Gate
from pipeline.collector.limits.guard import Caller, Guard, Rates
from schemas.write_key import WriteKey

RATES = Rates(events=100, bytes=1000, refusals=1, requests=3, window=10)


@dataclass
class Scope:
    """The part of RSGI's scope that tells who calls."""

    client: str
    headers: dict[str, str] = field(default_factory=dict)


class Watch:
    """A clock in seconds that stands still unless told; it counts who waits for it."""

    def __init__(self) -> None:
        self.now = 0.0
        self.waited: list[float] = []

    def __call__(self) -> float:
        return self.now

    async def pause(self, seconds: float) -> None:
        self.waited.append(seconds)
        await asyncio.sleep(0)


@pytest.fixture
def watch() -> Watch:
    return Watch()


@pytest.fixture
def guard(watch: Watch) -> Guard:
    gate = Gate({"wk": WriteKey(site="shop")}, [])
    return Guard(RATES, gate, [ip_network("127.0.0.0/8")], clock=watch, pause=watch.pause)


def caller(guard: Guard, network: str = "8.8.8", key: str = "") -> Caller:
    headers = {"x-forwarded-for": f"{network}.7"} if network else {}
    if key:
        headers["authorization"] = "Basic " + base64.b64encode(f"{key}:".encode()).decode()
    scope: Any = Scope("127.0.0.1:5000", headers)
    return guard.caller(scope)


def is_let_in(guard: Guard, who: Caller) -> bool:
    try:
        guard.enter(who)
    except TurnedAway:
        return False
    guard.leave(who)
    return True


async def refuse(guard: Guard, who: Caller, times: int) -> None:
    await asyncio.gather(*(guard.refuse(who) for _ in range(times)))


def test_what_is_taken_costs_by_its_events_or_by_its_bytes(guard: Guard, watch: Watch) -> None:
    many, large = caller(guard), caller(guard, "8.8.4")
    for _ in range(11):
        assert is_let_in(guard, many)
        assert is_let_in(guard, large)
        guard.charge(many, 100, 10)
        guard.charge(large, 1, 1000)
    assert not is_let_in(guard, many)
    assert not is_let_in(guard, large)
    watch.now += 1.1
    assert is_let_in(guard, many)
    assert is_let_in(guard, large)


async def test_who_sends_what_is_refused_is_let_in_no_more_and_others_are(guard: Guard) -> None:
    bad, good = caller(guard), caller(guard, "8.8.4")
    await refuse(guard, bad, 10)
    assert is_let_in(guard, bad)
    await refuse(guard, bad, 1)
    assert not is_let_in(guard, bad)
    assert is_let_in(guard, good)


async def test_in_a_network_that_floods_who_names_a_known_key_is_let_in(guard: Guard) -> None:
    await refuse(guard, caller(guard), 20)
    assert not is_let_in(guard, caller(guard))
    assert not is_let_in(guard, caller(guard, key="wk_none"))
    assert is_let_in(guard, caller(guard, key="wk"))


async def test_where_callers_cannot_be_told_apart_nobody_is_kept_out(guard: Guard) -> None:
    anybody = caller(guard, network="")
    await refuse(guard, anybody, 30)
    assert is_let_in(guard, anybody)


def test_so_many_requests_of_a_network_are_let_in_at_once(guard: Guard) -> None:
    who, other = caller(guard), caller(guard, "8.8.4")
    for _ in range(3):
        guard.enter(who)
    assert not is_let_in(guard, who)
    assert is_let_in(guard, other)
    guard.leave(who)
    assert is_let_in(guard, who)
    guard.leave(who)
    guard.leave(who)
    assert guard._at_once == {}


async def test_a_refusal_comes_at_once_until_there_are_too_many_and_then_late(
    guard: Guard, watch: Watch
) -> None:
    who = caller(guard, network="")
    await refuse(guard, who, 10)
    assert [] == watch.waited
    await refuse(guard, who, 2)
    assert 2 == len(watch.waited)


async def test_being_told_to_come_later_costs_nothing(guard: Guard, watch: Watch) -> None:
    who = caller(guard)
    await refuse(guard, who, 11)
    with pytest.raises(TurnedAway) as why:
        guard.enter(who)
    assert (Problem.TOO_MANY_REQUESTS, 1.0) == (why.value.code, why.value.retry_after)
    await asyncio.gather(*(guard.put_off() for _ in range(100)))
    watch.now += 1.1
    assert is_let_in(guard, who)


async def test_when_too_many_refusals_wait_connections_are_closed_instead(guard: Guard) -> None:
    who = caller(guard)
    at_once, held = 10, guard_._MOST_HELD
    calls = (guard.refuse(who) for _ in range(at_once + held + 3))
    headers = await asyncio.gather(*calls)
    assert [[]] * (at_once + held) + [[("connection", "close")]] * 3 == headers
    assert 0 == guard._held


async def test_when_many_networks_are_refused_something_all_refusals_come_late(
    guard: Guard, watch: Watch
) -> None:
    for number in range(20):
        await refuse(guard, caller(guard, f"8.9.{number}"), 1)
    assert [] == watch.waited
    await refuse(guard, caller(guard, "8.8.4"), 1)
    assert 1 == len(watch.waited)
    assert is_let_in(guard, caller(guard, "8.8.4"))


async def test_late_answers_are_a_second_late_and_not_all_at_the_same_time(
    guard: Guard, watch: Watch
) -> None:
    await asyncio.gather(*(guard.put_off() for _ in range(100)))
    assert 0.5 <= min(watch.waited) < 0.52
    assert 1.48 < max(watch.waited) < 1.5
    slots = [int((seconds - 0.5) * 10) for seconds in watch.waited]
    assert all(8 <= slots.count(slot) <= 12 for slot in range(10))
