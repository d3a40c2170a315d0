"""One text for one identifier, and none for the words that mean nobody."""

import hashlib
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.values.identifiers import identifier, is_nobodys, is_placeholder

NOBODY = [
    *("undefined", "null", "None", "NaN", "0", "[object Object]", "NULL", r"\N", "", "   ", "nil"),
    *("00000000-0000-0000-0000-000000000000", "ffffffff-ffff-ffff-ffff-ffffffffffff", "-1", "-"),
    *("0.0", "(null)", "(not set)", "'undefined'", "<none>", "N/A", "unknown", "anonymous"),
    *("{{user.id}}", "${userId}", "*|EMAIL|*", "%%emailaddr%%", "<%= id %>", "[object Null]"),
    *("d41d8cd98f00b204e9800998ecf8427e", "\tundefined\n", "guest", "true", "false"),
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    *(
        "undefined.undefined",
        "GA1.2.undefined",
        "user-null",
        "null null",
        "NaN.NaN",
        "none.",
        "n.a.",
    ),
    *(
        "\u200b",
        "\ufeffundefined",
        "\uff55\uff4e\uff44\uff45\uff46\uff49\uff4e\uff45\uff44",
        "`null`",
    ),
    *("{user_id}", "%user_id%", "#{user.id}", "__USER_ID__", "[USER_ID]", "%7B%7Buser.id%7D%7D"),
    *("{00000000-0000-0000-0000-000000000000}", "00000000-0000-4000-8000-000000000000", "#REF!"),
    *("userId", "anonymous_id", "anon", "opt-out", "deleted", "[redacted]", "Infinity"),
    *(
        "blank",
        "no-id",
        "Removed",
        "(not provided)",
        "unbekannt",
        "Gast",
        "anonym",
        "XXXX",
        "default",
    ),
    *("undefined_1", "null:7", "[object Object]-2"),
    *("not logged in", "loggedOut", "no_user", "Guest Customer", "anonymous-user", "Gast-Kunde"),
    *("<id>", "Optional(nil)", "undef", "k.A.", "N.N.", "kein", "inconnu", "desconocido"),
    *("1.23457E+12", "1,23457E+12"),
    *("$user_id", "$userId", "#user_id#", "function(){}", "function t() { [native code] }"),
    *("Invité", "invitado", "ospite", "гость", "ゲスト", "访客", "未知", "user", "Customer"),
    *(hashlib.sha256(word).hexdigest() for word in (b"n/a", b"GUEST", b"Unknown", b"0")),
]
SOMEBODY = ["10", "u-1", "nullable", "None-1", "test", "ada", "nano", "a0", "1.5", "0x1", "00-01"]
SOMEBODY += [
    "user-nullable",
    "annan",
    "jean-nan",
    "0-7",
    "visitor-1",
    "11111111-1111-1111-1111-111111111111",
]


@pytest.mark.parametrize("text", NOBODY)
def test_a_word_that_means_nobody_is_no_identifier(text: str) -> None:
    assert is_placeholder(text)
    assert "" == identifier(text)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Müller", unicodedata.normalize("NFD", "Müller")),
        ("Müller", "\ufeffMüller\u200b"),
        ("café-1", "\u00a0cafe\u0301-1 "),
    ],
)
def test_a_name_is_one_in_either_form_and_with_nothing_that_is_not_seen(
    one: str, other: str
) -> None:
    assert one == identifier(one) == identifier(other)


@pytest.mark.parametrize("text", SOMEBODY)
def test_a_name_is_an_identifier(text: str) -> None:
    assert text == identifier(text)


@pytest.mark.parametrize(
    "address",
    [
        *("none@none.com", "undefined@undefined", "guest@shop.example", "no-reply@shop.example"),
        *(
            "noemail@noemail.com",
            "kein.email@shop.example",
            "n/a@n/a.com",
            "anonymous@shop.example",
        ),
    ],
)
def test_an_address_that_nobody_has_is_no_identifier(address: str) -> None:
    assert is_nobodys(address)
    assert "" == identifier(address)


@pytest.mark.parametrize(
    "address", ["ada@shop.example", "na@shop.example", "nat@shop.example", "noreen@shop.example"]
)
def test_an_address_of_somebody_is_an_identifier(address: str) -> None:
    assert not is_nobodys(address)
    assert address == identifier(address)


@pytest.mark.parametrize("text", ["???", "***", "...", "#", "* * *", "____", "—", "•••"])
def test_what_has_no_letter_and_no_digit_names_nobody(text: str) -> None:
    assert "" == identifier(text)


@pytest.mark.parametrize(
    "value", [None, True, False, 0, 0.0, -1, -1.0, [], {}, float("nan"), float("inf")]
)
def test_a_value_that_means_nobody_is_no_identifier(value: object) -> None:
    assert "" == identifier(value)


@pytest.mark.parametrize("value", [123, 123.0, "123", "123.0", " 123 ", "123.00"])
def test_a_number_is_one_identifier_however_it_is_written(value: object) -> None:
    assert "123" == identifier(value)


def test_a_large_number_is_written_out() -> None:
    assert "100000000000000000000" == identifier(1e20)


def test_a_whole_number_that_no_float_can_hold_is_written_out() -> None:
    assert f"1{'0' * 400}" == identifier(10**400)


def test_a_site_adds_words_of_its_own() -> None:
    assert "" == identifier("Laufkunde", {"laufkunde"})
    assert "Laufkunde" == identifier("Laufkunde")


@given(st.text() | st.integers() | st.floats() | st.booleans() | st.none())
def test_an_identifier_is_its_own_identifier(value: object) -> None:
    once = identifier(value)
    assert once == identifier(once)
