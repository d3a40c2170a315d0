"""Events that are sent again because their answer was lost. PURE: time is an argument.

Some protocols give an event neither an id nor a time, so an event that is sent again looks like a
second one. The connections tell them apart: a sender that got its answer uses the connection
again, a sender that did not takes another one. Two equal events are one if

- the second comes within three seconds over another connection,
- the first one's connection has been silent since it was answered, and
- the second one's connection is newer than that answer, and the sender is one that keeps its
  connections: it has `fetch`, or has used one twice; or the sender is a browser, which
  takes the connection that was answered last, and that was the first one's.

Everything else counts twice: a double click, a loop, a program that opens a connection each time.
Nothing is known of connections that a proxy ends, unless the proxy tells the client's port.
"""

from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import blake2b
from typing import NamedTuple, TypeVar

from pipeline.collector.limits.callers import UNKNOWN_PORT
from pipeline.collector.request import Headers

_Key = TypeVar("_Key")
_Value = TypeVar("_Value")

_LONGEST_PAUSE = timedelta(seconds=3)
"""Between two attempts: OpenPanel's SDKs wait two seconds at most, and others close idle
connections after four."""

_MOST_KNOWN = 20_000
"""How many connections, senders and events are remembered each, in some 15 MB."""

_PROXIES = ("x-forwarded-for", "forwarded", "via", "x-real-ip")


class Peer(NamedTuple):
    """Who sends, and over which connection: numbers that nobody can turn into addresses.

    `connection` is 0 if a proxy hides it. What has `fetch` keeps its connections: a browser, Node.
    """

    connection: int
    name: int
    is_browser: bool
    has_fetch: bool


@dataclass(slots=True)
class _Connection:
    """The numbers of its first and last request, how many have no answer yet, and when one got it.

    Time is the number of the newest request of all.
    """

    first: int
    last: int
    unanswered: int = 0
    answered_at: int = 0


@dataclass(slots=True)
class _Sender:
    """Whether it has used a connection twice, and which one was answered last."""

    is_keeper: bool = False
    answered: int = 0


@dataclass(slots=True)
class _Event:
    """When it came first and last, and over which connection, with which request."""

    first_at: datetime
    last_at: datetime
    connection: int
    request: int


class Repeats:
    """Remembers the connections of senders, and the events without an id and a time."""

    def __init__(self) -> None:
        self._requests = 0
        self._connections: OrderedDict[int, _Connection] = OrderedDict()
        self._senders: OrderedDict[int, _Sender] = OrderedDict()
        self._events: OrderedDict[bytes, list[_Event]] = OrderedDict()

    def begin(self, peer: Peer) -> None:
        """Note that a request has begun."""
        if not peer.connection:
            return
        self._requests += 1
        known = self._connections.get(peer.connection)
        if known is None:
            known = _Connection(self._requests, self._requests)
            _put(self._connections, peer.connection, known)
        else:
            self._sender(peer).is_keeper = True
        known.last = self._requests
        known.unanswered += 1

    def end(self, peer: Peer) -> None:
        """Note that a request has been answered."""
        if known := self._connections.get(peer.connection):
            known.unanswered -= 1
            known.answered_at = self._requests
            self._sender(peer).answered = peer.connection

    def first_at(self, peer: Peer, event: bytes, now: datetime) -> datetime:
        """Give the time when `event` came first: `now`, unless it is sent again."""
        mine = self._connections.get(peer.connection)
        if mine is None:
            return now
        key = blake2b(b"%d " % peer.name + event, digest_size=16).digest()
        known = [each for each in self._events.pop(key, ()) if _is_recent(each, now)]
        found = next((each for each in known if self._is_again(each, peer, mine)), None)
        if found is None:
            known.append(found := _Event(now, now, 0, 0))
        found.last_at, found.connection, found.request = now, peer.connection, mine.last
        _put(self._events, key, known)
        return found.first_at

    def _is_again(self, event: _Event, peer: Peer, mine: _Connection) -> bool:
        former = self._connections.get(event.connection)
        if former is None or former is mine:
            return False
        if (former.last, former.unanswered) != (event.request, 0):
            return False
        sender = self._sender(peer)
        if mine.first > former.answered_at:
            return peer.has_fetch or sender.is_keeper
        return peer.is_browser and sender.answered == event.connection

    def _sender(self, peer: Peer) -> _Sender:
        known = self._senders.get(peer.name)
        if known is None:
            _put(self._senders, peer.name, known := _Sender())
        return known


def _is_recent(event: _Event, now: datetime) -> bool:
    return now - event.last_at <= _LONGEST_PAUSE


def _put(known: OrderedDict[_Key, _Value], key: _Key, value: _Value) -> None:
    known[key] = value
    if len(known) > _MOST_KNOWN:
        known.popitem(last=False)


def peer_of(client: str, direct: str, version: str, headers: Headers) -> Peer:
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
    return Peer(connection, name, headers.get("sec-fetch-site") is not None, has_fetch)
