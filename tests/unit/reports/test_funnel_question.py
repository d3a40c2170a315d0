"""What a funnel is asked: the little language of steps, and every way to get it wrong."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.reports.funnel.question import (
    LONGEST_WINDOW,
    BadFunnel,
    Filter,
    Order,
    Question,
    Step,
    parse_steps,
    parse_window,
)

PLAIN = st.text("abc XYZ019/-_.äß", min_size=1).map(str.strip).filter(bool)
FILTERS = st.lists(st.builds(Filter, PLAIN, PLAIN | st.just("a > b")), max_size=3).map(tuple)
STEPS = st.lists(st.builds(Step, PLAIN, FILTERS), min_size=1, max_size=5).map(tuple)


# --- steps ---------------------------------------------------------------------------------------


def test_steps_are_joined_by_arrows_and_spaces_do_not_count() -> None:
    expected = (Step("Product Viewed"), Step("Order Completed"))
    assert parse_steps("Product Viewed > Order Completed") == expected
    assert parse_steps("  Product Viewed>Order Completed ") == expected


def test_a_filter_narrows_its_step_alone() -> None:
    assert parse_steps("Page Viewed[path=/cart] > Order Completed") == (
        Step("Page Viewed", (Filter("path", "/cart"),)),
        Step("Order Completed"),
    )


def test_several_filters_stand_with_commas_between() -> None:
    [step] = parse_steps("Page Viewed [ path = /a b , properties.cart.id = 7 ]")
    assert step.filters == (Filter("path", "/a b"), Filter("properties.cart.id", "7"))


def test_the_value_of_a_filter_may_hold_arrows_and_equals_signs_and_may_be_empty() -> None:
    steps = parse_steps("A[path=/a>b?c=d] > B[utm_campaign=]")
    assert [step.filters for step in steps] == [
        (Filter("path", "/a>b?c=d"),),
        (Filter("utm_campaign", ""),),
    ]


@given(STEPS)
def test_what_is_written_is_read_again(steps: tuple[Step, ...]) -> None:
    assert steps == parse_steps(" > ".join(map(str, steps)))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "step 1 is empty: write a name on both sides of every >"),
        ("A > ", "step 2 is empty"),
        ("A >> B", "step 2 is empty"),
        ("A > [channel=shop]", r"step 2, '\[channel=shop\]': write one filter in \[ and \]"),
        ("A > B[channel=shop", r"step 2, 'B\[channel=shop': write one filter"),
        ("B channel=shop] > A", "step 1, 'B channel=shop]': write one filter"),
        ("A[a=1][b=2] > B", "step 1, .* write one filter"),
        ("A[a=1] late > B", "step 1, .* after the name, as in Product Viewed"),
        ("A > B[]", "step 2: '' is not a filter: write field=value"),
        ("A > B[shop]", "step 2: 'shop' is not a filter: write field=value, separated by commas"),
        ("A[=shop] > B", "step 1: '=shop' is not a filter"),
        ("A[a=1,] > B", "step 1: '' is not a filter"),
    ],
)
def test_an_error_names_the_step_and_says_what_to_write(text: str, says: str) -> None:
    with pytest.raises(BadFunnel, match=says):
        parse_steps(text)


# --- the question --------------------------------------------------------------------------------


@pytest.mark.parametrize("count", [0, 1, 21])
def test_a_funnel_has_2_to_20_steps(count: int) -> None:
    with pytest.raises(BadFunnel, match=f"2 to 20 steps, this one has {count}: write them as"):
        Question(steps=(Step("A"),) * count)


@pytest.mark.parametrize("order", ["strict", "ordered"])
def test_a_step_may_come_again_where_order_tells_the_two_apart(order: Order) -> None:
    assert len(Question(steps=parse_steps("A > B > A"), order=order).steps) == 3


def test_in_any_order_a_step_can_stand_only_once() -> None:
    with pytest.raises(
        BadFunnel, match="in any order, a step can be used only once: drop the second"
    ):
        Question(steps=parse_steps("A > B > A"), order="unordered")
    assert Question(steps=parse_steps("A > A[channel=shop]"), order="unordered").by == ""


# --- the window ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "window"),
    [
        ("90s", timedelta(seconds=90)),
        ("30m", timedelta(minutes=30)),
        (" 12 h ", timedelta(hours=12)),
        ("14d", timedelta(days=14)),
        ("2w", timedelta(weeks=2)),
    ],
)
def test_a_window_is_a_number_and_a_unit(text: str, window: timedelta) -> None:
    assert window == parse_window(text)


@pytest.mark.parametrize("text", ["", "14", "d", "-1d", "1.5d", "1y", "1d2h", "1234567890s"])
def test_anything_else_is_no_window(text: str) -> None:
    with pytest.raises(BadFunnel, match="is not a window: write a number and s, m, h, d or w"):
        parse_window(text)


def test_a_window_has_1_second_to_3660_days() -> None:
    steps = parse_steps("A > B")
    for window in (timedelta(seconds=1), LONGEST_WINDOW):
        assert window == Question(steps=steps, window=window).window
    for window in (timedelta(0), LONGEST_WINDOW + timedelta(milliseconds=1)):
        with pytest.raises(BadFunnel, match="a window has 1 second to 3,660 days"):
            Question(steps=steps, window=window)
    with pytest.raises(BadFunnel, match="a window has 1 second to 3,660 days"):
        parse_window("999999999w")
