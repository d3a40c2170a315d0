"""Totals of money: what the tables hold, and what people read. Nothing becomes 0 in silence."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.values.money import MOST_MONEY, Amount
from pipeline.values.totals import PLACES, plain, plain_rows, settled, shown


@given(st.floats(-1e12, 1e12, exclude_min=True, exclude_max=True))
def test_a_total_is_kept_or_says_why_not(value: float) -> None:
    found = settled(Amount(value, "EUR"))
    if found.problem:
        assert (found.value, found.problem, round(value, PLACES)) == (0.0, "too_small", 0.0)
    else:
        assert abs(found.value - value) <= max(10**-PLACES, abs(value) * 1e-15)
        assert bool(found.value) == bool(value)


@pytest.mark.parametrize("value", [MOST_MONEY, -MOST_MONEY, 1e300, float("inf"), float("nan")])
def test_more_than_there_is_is_too_large(value: float) -> None:
    assert settled(Amount(value, "EUR")) == Amount(0.0, "EUR", "too_large")


@pytest.mark.parametrize(
    ("amount", "currency", "text"),
    [
        *(("12.34500000", "KWD", "12.345"), ("1234.5", "EUR", "1,234.50"), ("0E-8", "", "0.00")),
        *(("0.00050000", "BTC", "0.0005"), ("0.00000001", "BTC", "0.00000001")),
        *(("0.50000000", "EUR", "0.50"), ("-0.0125", "USD", "-0.0125"), ("19.999", "EUR", "20.00")),
        *(("5000.00000000", "JPY", "5,000"), ("0", "KRW", "0"), ("0.5", "JPY", "0.5")),
        *(("-1234.6", "CLP", "-1,235"), ("7", "ISK", "7"), ("1.5", "CLF", "1.5000")),
        *(("0.3333333", "", "0.3333"), ("0.999999", "", "1.00"), ("1.00000000", "KWD", "1.000")),
    ],
)
def test_people_read_cents_and_below_one_four_figures(
    amount: str, currency: str, text: str
) -> None:
    assert shown(Decimal(amount), currency) == text
    assert shown(float(amount), currency) == text


@given(st.decimals(-(10**12), 10**12, places=PLACES), st.sampled_from(["EUR", "KWD", "BTC", ""]))
def test_nothing_but_nothing_is_shown_as_nothing(amount: Decimal, currency: str) -> None:
    read = Decimal(shown(amount, currency).replace(",", ""))
    assert bool(read) == bool(amount)
    assert abs(read - amount) <= Decimal("0.005")


@given(st.decimals(-(10**12), 10**12, places=PLACES))
def test_zeros_that_fill_a_column_up_go_and_those_of_cents_stay(amount: Decimal) -> None:
    short = plain(amount)
    digits = short.as_tuple().exponent
    assert short == amount
    assert isinstance(digits, int)
    assert digits == -2 or short == short.normalize()


def test_what_is_no_money_stays() -> None:
    assert [plain(each) for each in (1.5, "a", None)] == [1.5, "a", None]


def test_an_answer_has_the_decimals_of_each_rows_currency() -> None:
    amount = Decimal("5000.00000000")
    rows = [("JPY", amount, 1), ("EUR", amount, 2), ("KWD", amount, 3), ("", amount, 4)]
    found = plain_rows(rows, ("currency", "amount", "n"))
    assert [str(row[1]) for row in found] == ["5000", "5000.00", "5000.000", "5000.00"]
    assert [str(row[1]) for row in plain_rows(rows, ("c", "amount", "n"))] == ["5000.00"] * 4
