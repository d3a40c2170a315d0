"""Money is read where it can mean one thing only, and never becomes 0 in silence."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.values.money import UNREADABLE, Amount, read_amount, read_currency


@pytest.mark.parametrize(
    ("said", "value", "currency"),
    [
        (19.99, 19.99, ""),
        (20, 20, ""),
        (0, 0, ""),
        ("19.99", 19.99, ""),
        ("19,99", 19.99, ""),
        ("1.234,56", 1234.56, ""),
        ("1,234.56", 1234.56, ""),
        ("1.234.567", 1_234_567, ""),
        ("1,234,567.8", 1_234_567.8, ""),
        ("1,23,456.78", 123_456.78, ""),
        ("1 234,56", 1234.56, ""),
        ("1\u202f234,56\xa0€", 1234.56, "EUR"),
        ("1'234.50", 1234.5, ""),
        ("CHF 1\u2019234.\u2013", 1234, "CHF"),
        ("$19.99", 19.99, ""),
        ("$1,234", 1234, ""),
        ("US$ 1,234.00", 1234, "USD"),
        ("19,99 €", 19.99, "EUR"),
        ("€19.99", 19.99, "EUR"),
        ("19,- €", 19, "EUR"),
        ("19.99 EUR", 19.99, "EUR"),
        ("eur 19.99", 19.99, "EUR"),
        ("Fr. 19.90", 19.9, "CHF"),
        ("149 kr.", 149, ""),
        ("12 345 Kč", 12345, "CZK"),
        ("1234,567", 1234.567, ""),
        ("0,125", 0.125, ""),
        ("1.234", 1.234, ""),
        ("1e3", 1000, ""),
        (".5", 0.5, ""),
        ("+5", 5, ""),
        (" 7 ", 7, ""),
        ("\uff11\uff19\uff0e\uff19", 19.9, ""),
        ("0.00", 0, ""),
        ("0", 0, ""),
        ("1.234,-", 1234, ""),
        ("12,50 \u043b\u0432.", 12.5, "BGN"),
        ("100 \u0440\u0443\u0431.", 100, "RUB"),
        ("12,50 zl", 12.5, "PLN"),
        ("AU$ 12.50", 12.5, "AUD"),
        ("KSh 1,500.00", 1500, "KES"),
        ("12.50&nbsp;&euro;", 12.5, "EUR"),
        ("19,99 €*", 19.99, "EUR"),
        ("1,234.-", 1234, ""),
        ("19:-", 19, ""),
        ("2.500 kr", 2500, ""),
        ("R$ 1.234", 1234, "BRL"),
        ("¥1,234", 1234, ""),
        ("100.000 VND", 100_000, "VND"),
        ("Rp 100.000,00", 100_000, "IDR"),
        ("Rs. 1,23,456", 123_456, ""),
        ("R 1 234,56", 1234.56, ""),
        ("NT$1,234", 1234, "TWD"),
        ("1.234,56 TL", 1234.56, "TRY"),
        ("\u0663\u066b\u0665", 3.5, ""),
        ("5 dollars", 5, ""),
        ('"19.99"', 19.99, ""),
        ("'19.99", 19.99, ""),
    ],
)
def test_what_can_mean_one_thing_only_is_read(said: object, value: float, currency: str) -> None:
    assert Amount(value, currency) == read_amount(said)


@pytest.mark.parametrize(
    "said", ["1,234", "1,234 EUR", "1.234 €", "€1,234", "12,345 kr", "$ 12.990"]
)
def test_what_can_mean_two_things_is_ambiguous(said: str) -> None:
    amount = read_amount(said)
    assert amount is not None
    assert (0.0, "ambiguous") == (amount.value, amount.problem)


@pytest.mark.parametrize(
    ("said", "decimal", "value"),
    [("1,234", ",", 1.234), ("1,234", ".", 1234), ("1.234", ",", 1234), ("1.234 €", ",", 1234)],
)
def test_the_mark_before_the_cents_decides(said: str, decimal: str, value: float) -> None:
    amount = read_amount(said, decimal="," if decimal == "," else ".")
    assert amount is not None
    assert value == amount.value


@pytest.mark.parametrize(
    ("said", "currency", "value"),
    [
        ("1,234", "USD", 1234),
        ("12.990", "CLP", 12_990),
        ("$ 12.990", "CLP", 12_990),
        ("1,234", "JPY", 1234),
        ("1.234", "DKK", 1.234),  # as a program writes it
        ("1.234 kr.", "DKK", 1234),
        (1.234, "JPY", 1.234),
    ],
)
def test_the_currency_beside_it_decides(said: object, currency: str, value: float) -> None:
    assert Amount(value) == read_amount(said, currency)


@pytest.mark.parametrize("said", [None, "", "  ", "null", "NaN", "undefined", "-", "n/a"])
def test_nothing_said_is_nothing(said: object) -> None:
    assert read_amount(said) is None


@pytest.mark.parametrize(
    "said",
    [
        *(
            "free",
            "about 20",
            "1.2.3",
            "12,34,56",
            "10-20",
            "2026-01-01",
            "1 2",
            "€ £ 5",
            "20 eggs",
        ),
        *(True, [], {}, ["5"], "1.234,5.6", "1,2345,678", "12:30", "5%"),
    ],
)
def test_what_is_no_money_is_unreadable(said: object) -> None:
    assert UNREADABLE == read_amount(said)


@pytest.mark.parametrize(
    "said", [-5, "-5", "(5.00)", "$(5.00)", "5-", "-$5.00", "$-5.00", "\u22125", "- 5 €"]
)
def test_less_than_nothing_is_kept_and_marked(said: object) -> None:
    amount = read_amount(said)
    assert amount is not None
    assert (-5.0, "negative") == (amount.value, amount.problem)


@pytest.mark.parametrize("said", [1e30, "1e30", 10**18, "9" * 400, "1e400", 1e12])
def test_more_than_there_is_is_marked(said: object) -> None:
    assert Amount(problem="too_large") == read_amount(said)


@given(st.floats(0, 1e9), st.sampled_from([",.", ".,", " ,", "'."]), st.sampled_from("€£"))
def test_what_a_shop_formats_is_read_again(value: float, marks: str, sign: str) -> None:
    cents = round(value, 2)
    written = f"{cents:,.2f}".translate(str.maketrans(",.", marks))
    amount = read_amount(f"{written} {sign}")
    assert amount is not None
    assert pytest.approx(cents) == amount.value


@given(st.text() | st.floats() | st.integers() | st.booleans() | st.none())
def test_whatever_is_said_is_an_amount_or_says_what_is_wrong(said: object) -> None:
    amount = read_amount(said)
    assert amount is None or amount.problem or 0 <= amount.value < 1e12
    json.dumps(amount, allow_nan=False)


@pytest.mark.parametrize(
    ("said", "code"),
    [
        *(("EUR", "EUR"), ("eur", "EUR"), (" Eur ", "EUR"), ("€", "EUR"), ("Euro", "EUR")),
        *(("usdt", "USDT"), (None, ""), ("", ""), ("undefined", ""), ("$", ""), ("zł", "PLN")),
    ],
)
def test_a_currency_is_its_code_in_capitals(said: object, code: str) -> None:
    assert (code, True) == read_currency(said)


@pytest.mark.parametrize("said", ["as the customer likes", "1", 7, "E", "EURUSD", ["EUR"], "E\nR"])
def test_a_sentence_is_no_currency(said: object) -> None:
    assert ("", False) == read_currency(said)


@pytest.mark.parametrize("said", ["10 EUR", "10,00 €", "EUR 10"])
def test_an_amount_that_names_another_currency_is_not_counted_in_either(said: str) -> None:
    assert read_amount(said, "USD") == Amount(0.0, "USD", "currency")
    assert read_amount(said, "EUR") == read_amount(said) == Amount(10.0, "EUR")


@pytest.mark.parametrize(
    ("said", "currency"),
    [
        *(("$19.99", "EUR"), ("19.99 kr", "EUR"), ("¥500", "USD"), ("£5", "EUR"), ("R 5", "EUR")),
        *(("5 dollars", "EUR"), ("Rs 5", "GBP"), ("1,234 €", "USD")),
    ],
)
def test_a_sign_that_the_currency_does_not_have_contradicts_it(said: str, currency: str) -> None:
    assert read_amount(said, currency) == Amount(0.0, currency, "currency")


@pytest.mark.parametrize(
    ("said", "currency", "value"),
    [
        *(("$19.99", "USD", 19.99), ("$19.99", "AUD", 19.99), ("$19.99", "MXN", 19.99)),
        *(
            ("149 kr", "SEK", 149),
            ("¥500", "CNY", 500),
            ("£5.00", "EGP", 5),
            ("Fr. 500", "XOF", 500),
        ),
        *(("5 lei", "MDL", 5), ("Rs 5", "PKR", 5), ("$19.99", "USDT", 19.99), ("R 5", "ZAR", 5)),
    ],
)
def test_a_sign_of_several_currencies_is_that_of_the_event(
    said: str, currency: str, value: float
) -> None:
    amount = read_amount(said, currency)
    assert amount is not None
    assert (value, "") == (amount.value, amount.problem)
    assert amount.currency in ("", currency)


def test_a_sign_that_its_code_does_not_have_is_unreadable() -> None:
    assert read_amount("$ 5 EUR") == UNREADABLE
    assert read_amount("$ 5 CAD") == Amount(5.0, "CAD")
    assert read_amount("£ 5 EGP") == Amount(5.0, "EGP")


@pytest.mark.parametrize(
    ("said", "value"), [("12.345 KWD", 12.345), ("KD 1,234.500", 1234.5), ("1,234 BHD", 1234)]
)
def test_thousandths_of_a_dinar_are_read(said: str, value: float) -> None:
    amount = read_amount(said)
    assert amount is not None
    assert (value, "") == (amount.value, amount.problem)


@pytest.mark.parametrize("said", ["Infinity", "-Infinity", "inf"])
def test_what_a_division_by_nothing_leaves_is_unreadable(said: str) -> None:
    assert read_amount(said) == UNREADABLE
