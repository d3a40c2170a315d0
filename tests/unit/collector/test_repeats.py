"""An event without an id and a time that is sent again counts once; a second one like it counts."""

from datetime import UTC, datetime, timedelta
from functools import partial

import pytest

from pipeline.collector.arrival import Arrival
from pipeline.collector.intake import Intake, Limits
from pipeline.collector.repeats import Peer, Repeats, peer_of

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
ADA = hash("ada")
CLICK = b'{"type": "track", "event": "click", "anonymousId": "a"}'

intake = Intake(Limits(bytes=32_768, depth=8, age=timedelta(days=30)))


class Requests:
    """Requests of one sender: `open` them, and `answer` them."""

    def __init__(self, *, is_browser: bool = True, may_repeat: bool | None = None) -> None:
        self.repeats = Repeats()
        self.now = NOON
        self.ended: set[int] = set()
        self._is_browser = is_browser
        self._may_repeat = is_browser if may_repeat is None else may_repeat

    def peer(self, connection: int, name: int = ADA) -> Peer:
        told = (self._is_browser, self._is_browser, connection, self._may_repeat)
        return Peer(connection, name, *told)

    def open(
        self, connection: int, ms: int, calls: tuple[bytes, ...] = (CLICK,), name: int = ADA
    ) -> list[str]:
        """Give the ids of what is sent."""
        peer = self.peer(connection, name)
        self.now = NOON + timedelta(milliseconds=ms)
        self.repeats.begin(peer, self.now)
        arrival = Arrival("shop", self.now)
        arrival.recall = partial(self.repeats.first_at, peer, self.ended.__contains__)
        return [intake.touchpoint(call, arrival).touchpoint_id for call in calls]

    def answer(self, connection: int, after_ms: int = 0) -> None:
        after = self.now + timedelta(milliseconds=after_ms)
        self.repeats.end(self.peer(connection), after)

    def send(
        self, connection: int, ms: int, calls: tuple[bytes, ...] = (CLICK,), name: int = ADA
    ) -> list[str]:
        """Send and get the answer."""
        ids = self.open(connection, ms, calls, name)
        self.answer(connection)
        return ids


def test_what_a_browser_sends_again_on_a_new_connection_is_the_same() -> None:
    requests = Requests()
    assert requests.send(1, 0) == requests.send(2, 500)


def test_each_of_several_attempts_is_the_same() -> None:
    requests = Requests()
    attempts = [requests.send(n, ms) for n, ms in enumerate((0, 500, 1500, 3500), 1)]
    assert [attempts[0]] * 4 == attempts


def test_a_double_click_is_two_clicks() -> None:
    """The answer to the first has come: the connection is used again."""
    requests = Requests()
    assert requests.send(1, 0) != requests.send(1, 150)


def test_a_loop_is_as_many_events_as_it_sends() -> None:
    """They are on their way at once, each over a connection of its own."""
    requests = Requests()
    ids = [requests.open(n, n) for n in (1, 2, 3)]
    assert 3 == len({each for [each] in ids})


def test_a_loop_whose_answers_are_lost_is_as_many_events_again() -> None:
    requests = Requests()
    first = [requests.open(n, n) for n in (1, 2, 3)]
    for n in (1, 2, 3):
        requests.answer(n)
    again = [requests.open(n, 500 + n) for n in (4, 5, 6)]
    assert sorted(first) == sorted(again)


@pytest.mark.parametrize("is_browser", [False, True])
def test_a_connection_that_was_there_before_tells_nothing_of_a_program(*, is_browser: bool) -> None:
    """Its pool may give a second event another connection than the first; a browser's does not."""
    requests = Requests(is_browser=is_browser)
    requests.open(1, 0, ())
    requests.send(2, 1, ())
    requests.answer(1)
    requests.send(1, 2, ())
    assert is_browser == (requests.send(1, 5) == requests.send(2, 510))


def test_a_loop_that_needs_new_connections_is_as_many_events_as_it_sends() -> None:
    """The first is answered before the others have connected."""
    requests = Requests()
    requests.send(1, -50, ())
    ids = [requests.send(1, 0), requests.send(2, 200), requests.send(3, 210)]
    assert 3 == len({each for [each] in ids})


@pytest.mark.parametrize("is_answered", [True, False])
def test_what_a_browser_repeats_by_itself_is_the_same(*, is_answered: bool) -> None:
    """Its connection was used before, and broke; the answer may be on its way yet."""
    requests = Requests()
    requests.send(1, -50, ())
    first = requests.open(1, 0)
    if is_answered:
        requests.answer(1)
    requests.ended |= {1}
    assert first == requests.send(2, 9)


@pytest.mark.parametrize(
    ("was_used", "has_ended", "may_repeat"),
    [(False, True, True), (True, False, True), (True, True, False), (True, True, True)],
)
def test_only_what_was_used_and_ended_makes_a_browser_repeat_or_a_program_its_get(
    *, was_used: bool, has_ended: bool, may_repeat: bool
) -> None:
    requests = Requests(is_browser=False, may_repeat=may_repeat)
    if was_used:
        requests.send(1, -50, ())
    first = requests.send(1, 0)
    requests.ended |= {1} if has_ended else set()
    assert (was_used and has_ended and may_repeat) == (first == requests.send(2, 9))


def test_after_a_loop_a_browser_takes_the_connection_that_was_answered_last() -> None:
    requests = Requests()
    ids = [requests.open(n, n) for n in (1, 2, 3)]
    for n in (1, 2, 3):
        requests.answer(n)
    assert 4 == len({each for [each] in [*ids, requests.send(3, 900)]})


def test_a_first_connection_that_is_still_in_use_was_not_lost() -> None:
    requests = Requests()
    first = requests.send(1, 0)
    requests.send(1, 100, ())
    assert first != requests.send(2, 200)


@pytest.mark.parametrize(("is_browser", "ms"), [(True, 9_001), (False, 3_501)])
def test_some_seconds_after_the_answer_it_is_another_event(*, is_browser: bool, ms: int) -> None:
    requests = Requests(is_browser=is_browser)
    requests.send(1, -20, ())
    requests.send(1, -10, ())
    assert requests.send(1, 0) != requests.send(2, ms)


def test_a_browser_that_lost_two_answers_takes_a_connection_from_before() -> None:
    requests = Requests()
    requests.open(3, 0, ())
    requests.send(1, 0, ())
    requests.send(2, 1, ())
    requests.answer(3)  # it waits, and 1 and 2 are used again
    tap = CLICK.replace(b"click", b"tap")
    first = requests.open(1, 10), requests.open(2, 11, (tap,))
    requests.answer(1)
    requests.answer(2)
    assert first == (requests.send(3, 520), requests.send(4, 522, (tap,)))


def test_an_answer_that_takes_long_is_lost_late() -> None:
    requests = Requests()
    first = requests.open(1, 0)
    requests.answer(1, after_ms=4500)
    assert first == requests.send(2, 5000)


def test_a_port_that_is_used_again_is_another_connection() -> None:
    requests = Requests()
    requests.send(2, 0, ())
    assert requests.send(1, 60_000) == requests.send(2, 60_500)


def test_what_is_sent_again_happened_when_it_came_first() -> None:
    requests = Requests()
    requests.send(1, 0)
    peer = requests.peer(2)
    requests.repeats.begin(peer, NOON)
    arrival = Arrival("shop", NOON + timedelta(seconds=1))
    arrival.recall = partial(requests.repeats.first_at, peer, requests.ended.__contains__)
    assert NOON == intake.touchpoint(CLICK, arrival).occurred_at


@pytest.mark.parametrize("other", [{"calls": (CLICK.replace(b"click", b"tap"),)}, {"name": 7}])
def test_another_event_or_sender_is_not_the_same(other: dict[str, object]) -> None:
    requests = Requests()
    assert requests.send(1, 0) != requests.send(2, 9, **other)  # type: ignore[arg-type]


def test_who_opens_a_connection_for_each_request_is_counted_each_time() -> None:
    """As curl does, and `requests.post`."""
    requests = Requests(is_browser=False)
    ids = [requests.send(n, 10 * n) for n in range(1, 5)]
    assert 4 == len({each for [each] in ids})


def test_a_server_that_keeps_its_connections_is_recognised() -> None:
    requests = Requests(is_browser=False)
    requests.send(1, 0, ())
    requests.send(1, 10, ())
    assert requests.send(1, 20) == requests.send(2, 600)


def test_two_equal_events_of_one_request_are_two_each_time() -> None:
    requests = Requests()
    first = requests.send(1, 0, (CLICK, CLICK))
    assert 2 == len({*first})
    assert first == requests.send(2, 500, (CLICK, CLICK))
    assert first == requests.send(3, 900, (CLICK, CLICK))


def test_an_event_that_is_sent_again_with_others_is_the_same() -> None:
    """A client may send its next events with it."""
    requests = Requests()
    [first] = requests.send(1, 0)
    assert first == requests.send(2, 500, (CLICK, CLICK.replace(b"click", b"tap")))[0]


def test_where_a_proxy_hides_the_connection_all_count() -> None:
    requests = Requests()
    assert requests.send(0, 0) != requests.send(0, 9)


AGENT = {"user-agent": "Mozilla/5.0", "sec-fetch-site": "cross-site", "sec-fetch-mode": "cors"}


@pytest.mark.parametrize(
    ("client", "direct", "version", "headers", "is_known"),
    [
        ("192.0.2.7:50", "192.0.2.7:50", "1.1", {}, True),
        ("192.0.2.7:50", "192.0.2.7:50", "1", {}, False),
        ("192.0.2.7:50", "192.0.2.7:50", "1.1", {"x-forwarded-for": "192.0.2.9"}, False),
        ("192.0.2.7:50", "192.0.2.7:50", "1.1", {"via": "1.1 proxy"}, False),
        ("192.0.2.9:4711", "10.0.0.1:50", "1", {"x-forwarded-for": "192.0.2.9:4711"}, True),
        ("192.0.2.9:0", "10.0.0.1:50", "1.1", {"x-forwarded-for": "192.0.2.9"}, False),
    ],
)
def test_a_connection_is_known_if_no_proxy_ends_it_or_the_proxy_names_the_port(
    client: str, direct: str, version: str, headers: dict[str, str], is_known: bool
) -> None:
    peer = peer_of(client, direct, version, AGENT | headers, "POST")
    assert (is_known, True, True) == (peer.connection != 0, peer.is_browser, peer.has_fetch)
    assert (50 if is_known and client == direct else 0) == peer.port


def test_a_browser_may_repeat_anything_and_a_program_what_it_gets() -> None:
    told = [
        peer_of("192.0.2.7:50", "192.0.2.7:50", "1.1", headers, method).may_repeat
        for headers in (AGENT, {})
        for method in ("GET", "POST")
    ]
    assert [True, True, True, False] == told


def test_no_address_is_kept() -> None:
    assert all(
        type(part) in (int, bool) for part in peer_of("192.0.2.7:50", "x", "1.1", AGENT, "POST")
    )


def test_what_is_remembered_is_bounded() -> None:
    requests = Requests()
    for n in range(1, 20_500):
        requests.send(n, n, (b'{"type": "track", "event": "%d", "userId": "u"}' % n,), n)
    known = vars(requests.repeats)
    assert all(len(known[name]) <= 20_000 for name in ("_connections", "_keepers", "_events"))


@pytest.mark.parametrize("connections", [1, 3, 1_000])
def test_of_equal_events_of_one_sender_only_some_are_remembered(connections: int) -> None:
    """Each is held against the earlier ones: without a bound, a heartbeat makes it slower."""
    requests = Requests()
    ids = {requests.send(1 + n % connections, n)[0] for n in range(1_000)}
    [known] = vars(requests.repeats)["_events"].values()
    assert 1_000 == len(ids)
    assert len(known) <= 16
