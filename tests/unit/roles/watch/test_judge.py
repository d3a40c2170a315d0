"""When an alert opens, goes on and ends; that chance alone opens hardly any."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from pipeline.roles.watch.counts import EVERYWHERE, Slice
from pipeline.roles.watch.evidence import FALLS, RISES
from pipeline.roles.watch.judge import Bar, Judged, Memory, Opened, judge
from pipeline.roles.watch.memory import read, written
from pipeline.roles.watch.site import Question

SLICES = (EVERYWHERE, Slice("browser", "Safari"), Slice("browser", "Chrome"))
QUESTION = Question("conversion", "Checkout Started", "Order Completed")
Seen = tuple[float, float, float]
USUAL: Seen = (10, 4, 6)
NOBODY: Seen = (0, 0, 0)


def minute(number: int, observed: Seen, usual: Seen = USUAL, *, is_idle: bool = False) -> Judged:
    spreads = np.full(len(SLICES), 0.03)
    counts = np.array(observed, float), np.array(usual, float)
    return Judged(number, SLICES, *counts, spreads, is_idle)


def lived(*parts: tuple[int, Seen]) -> tuple[Memory | None, list[Opened]]:
    """So many minutes of the same, one part after the other."""
    memory: Memory | None = None
    news, number = [], 0
    for length, observed in parts:
        for _ in range(length):
            memory, opened = judge(memory, minute(number, observed), FALLS, Bar())
            news += [opened] if opened else []
            number += 1
    return memory, news


def test_the_usual_opens_nothing() -> None:
    assert lived((3000, USUAL))[1] == []


def test_more_than_usual_is_no_drop_however_much_it_is() -> None:
    assert lived((600, (40, 16, 24)))[1] == []


def test_an_outage_opens_within_minutes_names_everywhere_and_since_when() -> None:
    _, news = lived((120, USUAL), (5, NOBODY))
    opened = news[0]
    assert opened.at <= 122
    assert opened.since == 120
    assert opened.where == EVERYWHERE
    assert opened.change < -0.9
    assert opened.certainty > 0.5


def test_a_drop_of_one_slice_names_it() -> None:
    _, news = lived((120, USUAL), (30, (6, 0, 6)))
    assert news[0].where == Slice("browser", "Safari")


def test_it_ends_when_the_usual_is_back_and_not_before() -> None:
    _, news = lived((60, USUAL), (60, NOBODY), (30, USUAL))
    assert [one.is_over for one in news].count(True) == 1
    assert news[-1].is_over
    assert 120 <= news[-1].until < 130
    assert len({one.at for one in news}) == 1
    versions = [one.version for one in news]
    assert versions == sorted(set(versions))


def test_nobody_usually_there_for_an_hour_ends_it_as_the_shop_has_closed() -> None:
    memory, [opened] = lived((60, USUAL), (5, NOBODY))
    assert not opened.is_over
    news: Opened | None = None
    for number in range(65, 65 + 60):
        closed = minute(number, NOBODY, NOBODY, is_idle=True)
        memory, news = judge(memory, closed, FALLS, Bar())
    assert news is not None
    assert news.is_over


def test_a_silent_shop_ends_nothing_while_people_usually_come() -> None:
    memory, _ = lived((60, USUAL), (5, NOBODY))
    for number in range(65, 65 + 300):
        memory, news = judge(memory, minute(number, NOBODY, NOBODY), FALLS, Bar())
        assert news is None or not news.is_over


def test_too_few_people_are_no_alert() -> None:
    memory: Memory | None = None
    for number in range(60):
        memory, news = judge(memory, minute(number, NOBODY), FALLS, Bar(people=1000))
        assert news is None


def test_what_another_alert_explains_does_not_follow_when_that_is_over() -> None:
    memory: Memory | None = None
    for number in range(60):
        memory, news = judge(memory, minute(number, NOBODY), FALLS, Bar(), may_open=False)
        assert news is None
    _, news = judge(memory, minute(60, USUAL), FALLS, Bar())
    assert news is None


def test_a_rise_opens_and_a_fall_does_not_where_rises_are_looked_for() -> None:
    memory: Memory | None = None
    news: Opened | None = None
    for number in range(120):
        memory, news = judge(memory, minute(number, NOBODY), RISES, Bar())
        assert news is None
    for number in range(120, 130):
        memory, news = judge(memory, minute(number, (40, 16, 24)), RISES, Bar())
        if news:
            break
    assert news is not None
    assert news.change > 1


def test_a_slice_that_is_new_begins_with_nothing_and_the_others_go_on() -> None:
    memory, _ = lived((60, USUAL), (1, NOBODY))
    slices = (*SLICES, Slice("browser", "Edge"))
    more = Judged(61, slices, np.zeros(4), np.array([10.0, 4, 6, 0.1]), np.full(4, 0.03))
    after, _ = judge(memory, more, FALLS, Bar())
    assert after.slices == slices
    assert after.evidence.since[-1, 0] == 60


@given(st.lists(st.integers(0, 12), min_size=1, max_size=120), st.integers(0, 119))
def test_a_restart_at_any_minute_changes_nothing(counts: list[int], at: int) -> None:
    """What was remembered goes through JSON, and then everything is as if nothing had happened."""

    def live(restart: int | None) -> list[Opened]:
        memory: Memory | None = None
        news = []
        for number, count in enumerate(counts):
            if number == restart and memory is not None:
                memory = read(written({QUESTION: memory}))[QUESTION]
            seen = minute(number, (count, count * 0.4, count * 0.6))
            memory, opened = judge(memory, seen, FALLS, Bar())
            news += [opened] if opened else []
        return news

    assert live(None) == live(at)


def test_what_cannot_be_read_is_nothing_remembered() -> None:
    assert read("") == read("[1]") == read('[{"question": []}]') == {}


def test_chance_alone_opens_less_than_one_alert_in_a_week() -> None:
    """Weeks of a small shop, judged every six minutes: fewer alerts than weeks."""
    rng = np.random.default_rng(5)
    usual = np.array([2.0, 0.8, 1.2])
    weeks, false = 6, 0
    memory: Memory | None = None
    for number in range(weeks * 7 * 24 * 10):
        parts = rng.poisson(usual[1:] * 6)
        seen = np.array([parts.sum(), *parts], float)
        told = Judged(number, SLICES, seen, usual * 6, np.full(3, 0.03))
        memory, opened = judge(memory, told, FALLS, Bar())
        false += bool(opened and opened.version == 1)
    assert false < weeks
