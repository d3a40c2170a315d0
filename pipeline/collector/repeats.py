"""Events that are sent again because their answer was lost. PURE: time is an argument.

Some protocols give an event neither an id nor a time, so an event that is sent again looks like a
second one. The connections tell them apart: a sender that got its answer uses the connection
again, a sender that did not takes another one. Two equal events are one if

- the second comes over another connection, 0.4 to 9 seconds after the answer to the first,
- the first one's connection has been silent since that answer, and
- the second one's connection is newer than that answer, and the sender is one that keeps its
  connections: it has `fetch`, or has used one twice; or the sender is a browser, which takes the
  connection that was answered last, and the first one's was answered after the second one's.

A browser repeats a request by itself, within milliseconds, if the connection breaks and was used
before; so do programs with a GET (RFC 9110, 9.2.2). Two equal events are one, too, if the
connection of the first one was used before, has ended, and the second one comes within 0.4 seconds.

Everything else counts twice: a double click, a loop whose requests need new connections (they may
arrive after the first is answered, hence the 0.4 seconds), a program that connects for each
request.
Nothing is known of connections that a proxy ends, unless the proxy tells the client's port.
"""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import blake2b
from itertools import chain
from typing import NamedTuple, TypeVar

from pipeline.collector.limits.callers import UNKNOWN_PORT
from pipeline.collector.request import Headers

_Key = TypeVar("_Key")
_Value = TypeVar("_Value")

_SHORTEST_PAUSE = timedelta(milliseconds=400)
"""Between an answer that is lost and the next attempt; a new connection is open sooner."""

_LONGEST_PAUSE = timedelta(seconds=9)
_LONGEST_OF_A_PROGRAM = timedelta(seconds=3.5)
"""OpenPanel's SDKs wait two seconds at most. After ten the collector closes a silent connection,
after four Node does."""

_LONGEST_SILENCE = timedelta(seconds=15)
"""Then a connection is closed, and its port may be that of another one."""

_LONGEST_KNOWN = timedelta(minutes=1)
"""No answer takes longer."""

_MOST_KNOWN = 20_000
"""How many connections, senders and events are remembered each, in some 15 MB."""

_MOST_EQUAL = 16
"""How many requests with an equal event of one sender are remembered: the last ones."""

Ended = Callable[[int], bool]
"""Says whether the connection from this port of the sender has ended."""

_PROXIES = ("x-forwarded-for", "forwarded", "via", "x-real-ip")


class Peer(NamedTuple):
    """Who sends, and over which connection: numbers that nobody can turn into addresses.

    `connection` is 0 if a proxy hides it, `port` is 0 if there is any proxy. What has `fetch` keeps
    its connections: a browser, Node. What `may_repeat` sends a request again by itself.
    """

    connection: int
    name: int
    is_browser: bool
    has_fetch: bool
    port: int = 0
    may_repeat: bool = False


@dataclass(slots=True)
class _Connection:
    """The numbers of its first and last request, and how many have no answer yet.

    Its last answer came at `answered_at`, as number `answer` of all, after request `newest` of all.
    """

    first: int
    last: int
    answered_at: datetime
    port: int
    answer: int = 0
    newest: int = 0
    unanswered: int = 0

    def is_closed(self, now: datetime) -> bool:
        """Say whether it has been silent for so long that it is no more."""
        return not self.unanswered and now - self.answered_at > _LONGEST_SILENCE


@dataclass(slots=True)
class _Event:
    """When it came first and last, and over which connection and request last."""

    first_at: datetime
    last_at: datetime
    connection: int
    request: int


class Repeats:
    """Remembers the connections of senders, and the events without an id and a time."""

    def __init__(self) -> None:
        self._requests = self._answers = 0
        self._connections: OrderedDict[int, _Connection] = OrderedDict()
        self._keepers: OrderedDict[int, None] = OrderedDict()
        self._events: OrderedDict[bytes, list[_Event]] = OrderedDict()

    def begin(self, peer: Peer, now: datetime) -> None:
        """Note that a request has begun."""
        if not peer.connection:
            return
        self._requests += 1
        known = self._connections.get(peer.connection)
        if known is None or known.is_closed(now):
            known = _Connection(self._requests, self._requests, now, peer.port)
            _put(self._connections, peer.connection, known)
        elif peer.name not in self._keepers:
            _put(self._keepers, peer.name, None)
        known.last = self._requests
        known.unanswered += 1

    def end(self, peer: Peer, now: datetime) -> None:
        """Note that a request has been answered."""
        if known := self._connections.get(peer.connection):
            self._answers += 1
            known.unanswered -= 1
            known.answer, known.answered_at, known.newest = self._answers, now, self._requests

    def first_at(self, peer: Peer, ended: Ended, event: bytes, now: datetime) -> datetime:
        """Give the time when `event` came first: `now`, unless it is sent again."""
        mine = self._connections.get(peer.connection)
        if mine is None:
            return now
        key = blake2b(b"%d " % peer.name + event, digest_size=16).digest()
        equal = self._events.pop(key, ())
        known = [each for each in equal if self._may_be_lost(each, now)]
        again = (each for each in known if self._is_again(each, peer, mine, now))
        repeated = (each for each in known if self._is_repeated(each, peer, mine, now, ended))
        found = next(chain(again, repeated), None)
        if found is None:
            known.append(found := _Event(now, now, 0, 0))
        found.last_at, found.connection, found.request = now, peer.connection, mine.last
        _put(self._events, key, known[-_MOST_EQUAL:])
        return found.first_at

    def _may_be_lost(self, event: _Event, now: datetime) -> bool:
        """Say whether nothing has come over its connection since: else its answer has arrived."""
        former = self._connections.get(event.connection)
        return (
            former is not None
            and former.last == event.request
            and now - event.last_at <= _LONGEST_KNOWN
        )

    def _is_again(self, event: _Event, peer: Peer, mine: _Connection, now: datetime) -> bool:
        if (event.connection, event.request, event.last_at) == (peer.connection, mine.last, now):
            return True  # of two equal events of one request, which `told_apart` tells apart
        former = self._connections[event.connection]
        if former is mine or former.unanswered:
            return False
        longest = _LONGEST_PAUSE if peer.is_browser else _LONGEST_OF_A_PROGRAM
        if not _SHORTEST_PAUSE <= now - former.answered_at <= longest:
            return False
        if mine.first > former.newest:
            return peer.has_fetch or peer.name in self._keepers
        return peer.is_browser and 0 < mine.answer < former.answer

    def _is_repeated(
        self, event: _Event, peer: Peer, mine: _Connection, now: datetime, ended: Ended
    ) -> bool:
        """Say whether the sender repeats it by itself: the kernel is asked last."""
        former = self._connections[event.connection]
        if former is mine or not (peer.may_repeat and former.port):
            return False
        was_used_before = former.first < event.request
        pause = now - max(former.answered_at, event.last_at)
        return was_used_before and pause < _SHORTEST_PAUSE and ended(former.port)


def _put(known: OrderedDict[_Key, _Value], key: _Key, value: _Value) -> None:
    known[key] = value
    if len(known) > _MOST_KNOWN:
        known.popitem(last=False)


def peer_of(client: str, direct: str, version: str, headers: Headers, method: str) -> Peer:
    """Say who sends: `direct` is the address:port of the connection, `client` that behind proxies.

    A proxy that is not trusted, or speaks HTTP/1.0, hides the connection.
    """
    address, _, port = client.rpartition(":")
    is_direct = client == direct and version == "1.1" and not any(map(headers.get, _PROXIES))
    is_told = client != direct and port != UNKNOWN_PORT
    # Python's hashes are salted: a new secret with each process.
    connection = hash(client) if is_direct or is_told else 0
    name = hash((address, headers.get("user-agent")))
    has_fetch = headers.get("sec-fetch-mode") is not None
    is_browser = headers.get("sec-fetch-site") is not None
    known_port = int(port) if is_direct and port.isdecimal() else 0
    return Peer(connection, name, is_browser, has_fetch, known_port, is_browser or method == "GET")
