"""Protects everybody else from senders that flood. Shell: reads a clock, makes callers wait.

A network has an allowance. Accepted events cost little, refused ones cost more; a network in debt
is turned away before its body is read. Requests that name a known key in their head have a separate
allowance in each network, so others in the network cannot use it up. Refusals to a network in debt
come late, and to everybody if very many are refused. Waiting costs nothing here, and a sender that
waits for the answer becomes as slow. A good request never waits.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from itertools import count
from time import monotonic
from typing import NamedTuple

from granian.rsgi import Scope

from pipeline.collector.answers import Headers, Problem, TurnedAway
from pipeline.collector.limits.allowances import Allowances
from pipeline.collector.limits.callers import Networks, Proxies, own_network
from pipeline.collector.limits.gate import Gate
from pipeline.collector.request import user_name
from pipeline.metrics import COLLECTOR_HELD, COLLECTOR_LIMITED

_MOST_CALLERS = 50_000
"""How many networks are remembered, in 12 MB."""

_ANYBODY = "?"
_EVERYBODY = "*"
_NETWORKS_TOGETHER = 2
"""If there are more refusals than this many networks may have, all refusals come late."""

_LATE_SECONDS = 1.0
"""On average; it varies, so that callers do not all return at the same moment."""

_GOLDEN = 0.6180339887
_MOST_HELD = 2_000
"""Most refusals that wait at the same time; beyond that, connections are closed."""


@dataclass(frozen=True, slots=True)
class Rates:
    """What a network may do per second, and at the same time; 0 means no limit."""

    events: float
    bytes: float
    refusals: float
    requests: int
    window: float
    """A burst may use up the rates of this many seconds."""


class Caller(NamedTuple):
    """The sender of a request.

    `client` is its address:port; `name` identifies its allowance. All senders without an
    identifiable network share a name, and are not `is_limited`.
    """

    client: str
    name: str
    is_limited: bool


class Guard:
    """Counts what callers do."""

    def __init__(
        self,
        rates: Rates,
        gate: Gate,
        trusted: Networks,
        *,
        clock: Callable[[], float] = monotonic,
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._gate = gate
        self._proxies = Proxies(trusted)
        self._clock = clock
        self._pause = pause
        self._event, self._byte, self._refusal = map(
            _seconds, (rates.events, rates.bytes, rates.refusals)
        )
        self._most_at_once = rates.requests
        self._allowances = Allowances(rates.window, _MOST_CALLERS)
        self._at_once: dict[str, int] = {}
        self._held = 0
        self._delays = map(_delay, count())

    def caller(self, scope: Scope) -> Caller:
        """Say who sends a request."""
        client = scope.client
        if self._proxies.is_any:
            client = self._proxies.client(client, scope.headers.items())
        network = own_network(client)
        if not network:
            return Caller(client, _ANYBODY, False)
        key = user_name(scope.headers.get("authorization"))
        name = f"{network} {key}" if key in self._gate.keys else network
        return Caller(client, name, True)

    def enter(self, caller: Caller) -> None:
        """Let a request in; it counts until it `leave`s.

        Raises:
            TurnedAway: the network has sent too much, or has too many open requests.
        """
        if caller.is_limited:
            self._admit(caller)
            self._at_once[caller.name] = self._at_once.get(caller.name, 0) + 1

    def leave(self, caller: Caller) -> None:
        """Note that a request that was let in has been answered."""
        if caller.is_limited:
            self._at_once[caller.name] -= 1
            if not self._at_once[caller.name]:
                del self._at_once[caller.name]

    def charge(self, caller: Caller, events: int, size: int) -> None:
        """Charge the caller for accepted `events` in a body of `size` bytes as sent."""
        if caller.is_limited:
            self._spend(caller.name, max(events * self._event, size * self._byte))

    async def refuse(self, caller: Caller) -> Headers:
        """Charge the caller for a request of which nothing was accepted.

        It returns when the answer may be sent; the headers are for the answer.
        """
        self._spend(caller.name, self._refusal)
        self._spend(_EVERYBODY, self._refusal / _NETWORKS_TOGETHER)
        is_late = self._is_in_debt(caller.name) or self._is_in_debt(_EVERYBODY)
        return await self.put_off() if is_late else []

    async def put_off(self) -> Headers:
        """Return when a "try again later" may be sent, with the headers for it.

        It costs the caller nothing: a sender that has waited must be able to come back.
        """
        if self._held >= _MOST_HELD:
            return [("connection", "close")]
        self._held += 1
        COLLECTOR_HELD.set(self._held)
        try:
            await self._pause(next(self._delays))
        finally:
            self._held -= 1
            COLLECTOR_HELD.set(self._held)
        return []

    def _spend(self, name: str, seconds: float) -> None:
        self._allowances.spend(name, seconds, self._clock())

    def _is_in_debt(self, name: str) -> bool:
        return self._allowances.wait_of(name, self._clock()) > 0

    def _admit(self, caller: Caller) -> None:
        if wait := self._allowances.wait_of(caller.name, self._clock()):
            COLLECTOR_LIMITED.labels("rate").inc()
            raise TurnedAway(
                Problem.TOO_MANY_REQUESTS,
                "your network sends too much, or too much of it is refused; send again later",
                wait,
            )
        if self._most_at_once and self._at_once.get(caller.name, 0) >= self._most_at_once:
            COLLECTOR_LIMITED.labels("at_once").inc()
            raise TurnedAway(
                Problem.TOO_MANY_REQUESTS,
                f"your network already has {self._most_at_once} open requests; send again later",
            )


def _delay(turn: int) -> float:
    """Spread turns evenly between half of the time and half more, neighbours far apart."""
    return _LATE_SECONDS * (0.5 + turn * _GOLDEN % 1)


def _seconds(rate: float) -> float:
    return 1 / rate if rate else 0.0
