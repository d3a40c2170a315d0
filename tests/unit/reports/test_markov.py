"""Attribution by the removal effect: hand-computed chains, and what holds for every chain."""

from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.reports.attribution.markov import (
    OTHER,
    Path,
    removal_effects,
    shares,
)


def went(way: str, count: int = 1) -> Path:
    """Read "a b !": touches, and a `!` where they led to an order."""
    *touches, end = way.split()
    return Path(tuple(touches), end == "!", count)


def about(values: dict[str, float]) -> object:
    return pytest.approx(values, abs=1e-12)


def test_a_touch_that_all_orders_came_by_would_lose_them_all() -> None:
    assert about({"a": 1.0}) == removal_effects([went("a !"), went("a ."), went("a .")])


def test_two_ways_that_never_meet_share_by_their_orders() -> None:
    paths = [went("a !", 3), went("b !", 1), went("a ."), went("b .", 9)]
    assert about({"a": 3 / 4, "b": 1 / 4}) == removal_effects(paths)
    assert about({"a": 3 / 4, "b": 1 / 4}) == shares(paths)


def test_the_chain_of_three_touches_by_hand() -> None:
    # a b c !   a .   b c .
    # Start: a 2/3, b 1/3. a: b 1/2, nothing 1/2. b: c 1. c: order 1/2, nothing 1/2.
    # Whole chance: (2/3 · 1/2 + 1/3) · 1/2 = 1/3.
    # Without a: 1/3 · 1/2 = 1/6, a loss of 1/2. Without b or c: nothing, a loss of 1.
    paths = [went("a b c !"), went("a ."), went("b c .")]
    assert about({"a": 0.5, "b": 1.0, "c": 1.0}) == removal_effects(paths)
    assert about({"a": 0.2, "b": 0.4, "c": 0.4}) == shares(paths)


def test_a_chain_with_a_way_back_by_hand() -> None:
    # a b a !   b .
    # Start: a 1/2, b 1/2. a: b 1/2, order 1/2. b: a 1/2, nothing 1/2.
    # From a: x = 1/2 + y/2, from b: y = x/2, so x = 2/3 and y = 1/3; whole chance 1/2.
    # Without a nothing; without b: 1/2 · 1/2 = 1/4, a loss of 1/2.
    paths = [went("a b a !"), went("b .")]
    assert about({"a": 1.0, "b": 0.5}) == removal_effects(paths)
    assert about({"a": 2 / 3, "b": 1 / 3}) == shares(paths)


def test_a_touch_that_leads_to_no_order_gets_nothing() -> None:
    assert about({"a": 1.0}) == shares([went("a !"), went("b .")])


@pytest.mark.parametrize("paths", [[], [went("a ."), went("a b .")]])
def test_without_orders_there_is_nothing_to_share(paths: list[Path]) -> None:
    assert shares(paths) == {}


def test_beyond_the_limit_the_rarest_touches_are_one() -> None:
    paths = [went("a !", 5), went("b !", 3), went("c !"), went("d !")]
    assert about({"a": 0.5, "b": 0.3, OTHER: 0.2}) == shares(paths, most=3)
    assert about({"a": 0.5, "b": 0.3, "c": 0.1, "d": 0.1}) == shares(paths, most=4)


ways = st.lists(
    st.builds(
        Path,
        st.lists(st.sampled_from("abcde"), min_size=1, max_size=5).map(tuple),
        st.booleans(),
        st.integers(1, 4),
    ),
    min_size=1,
    max_size=8,
)


def loss(paths: list[Path], gone: str) -> Fraction:
    """The removal effect by its definition: solve the chain with and without the touch."""
    whole, rest = converting(paths, None), converting(paths, gone)
    return 1 - rest / whole


def converting(paths: list[Path], gone: str | None) -> Fraction:
    """The chance to convert, exactly: eliminate one touch after the other from the chain."""
    chain: dict[str, dict[str, Fraction]] = {}
    for path in paths:
        way = ["<", *path.touches, "!" if path.is_converted else "."]
        for here, there in pairwise(way):
            row = chain.setdefault(here, {})
            row[there] = row.get(there, Fraction(0)) + path.people
    chain = {
        here: {t: n / sum(row.values()) for t, n in row.items()} for here, row in chain.items()
    }
    for touch in [touch for touch in chain if touch != "<"]:
        row = chain.pop(touch)
        stay = row.pop(touch, Fraction(0))
        onward = {"." if there == gone else there: n / (1 - stay) for there, n in row.items()}
        onward = {".": Fraction(1)} if touch == gone else onward
        for other in chain.values():
            come = other.pop(touch, Fraction(0))
            for there, chance in onward.items():
                other[there] = other.get(there, Fraction(0)) + come * chance
    return chain["<"].get("!", Fraction(0))


@given(ways)
def test_the_effects_are_those_of_taking_each_touch_out_of_the_chain(paths: list[Path]) -> None:
    effects = removal_effects(paths)
    if not any(path.is_converted for path in paths):
        assert effects == {}
        return
    touches = {touch for path in paths for touch in path.touches}
    assert effects == pytest.approx({t: float(loss(paths, t)) for t in touches}, abs=1e-9)


@given(ways.filter(lambda paths: any(path.is_converted for path in paths)))
def test_shares_sum_to_one_and_no_order_of_the_paths_changes_them(paths: list[Path]) -> None:
    assert sum(shares(paths).values()) == pytest.approx(1)
    assert shares(paths) == pytest.approx(shares(paths[::-1]))


@given(ways)
def test_a_touch_that_follows_itself_changes_nothing(paths: list[Path]) -> None:
    stuttering = [
        path._replace(touches=tuple(touch for touch in path.touches for _ in range(2)))
        for path in paths
    ]
    assert shares(stuttering) == pytest.approx(shares(paths), abs=1e-9)
