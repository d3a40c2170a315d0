"""What cannot be read as JSON is repaired where it can be; what can be read is not touched."""

import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.values.texts import harmless, line, repaired

HALF = "\ud83d"
ANYTHING = st.recursive(
    st.none()
    | st.booleans()
    | st.floats()
    | st.integers()
    | st.text(st.characters(exclude_categories=())),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters()), inner),
)


@pytest.mark.parametrize(
    ("raw", "value"),
    [
        (b'["\\ud83d"]', ["\ufffd"]),
        (b'["\\ud83d\\ude00"]', ["\U0001f600"]),
        (b'["\\ud83d\\ud83d\\ude00"]', ["\ufffd\U0001f600"]),
        (b'["\\ude00 after"]', ["\ufffd after"]),
        (b'["a\\\\ud83d"]', ["a\\ud83d"]),
        (b'{"\\uDBFF": 1}', {"\ufffd": 1}),
        (b"[1e400, -1e400]", ["1e400", "-1e400"]),
        (b"[NaN, Infinity, -Infinity]", ["NaN", "Infinity", "-Infinity"]),
        (b"[" + b"9" * 5000 + b"]", ["9" * 5000]),
        (b'["1e400 NaN", 1.5]', ["1e400 NaN", 1.5]),
        (b"[007]", ["007"]),
        (b'["a\nb\x00"]', ["a b "]),
        (b'["\xff"]', ["\ufffd"]),
        (b"\xef\xbb\xbf[1]", [1]),
    ],
)
def test_what_no_parser_takes_is_repaired(raw: bytes, value: object) -> None:
    assert value == msgspec.json.decode(repaired(raw))


@given(ANYTHING)
def test_whatever_python_writes_as_json_can_be_read(value: object) -> None:
    written = json.dumps(value)
    assert msgspec.json.decode(repaired(written)) is not ...


@given(ANYTHING)
def test_what_can_be_read_is_the_same_afterwards(value: object) -> None:
    try:
        said = msgspec.json.decode(json.dumps(value))
    except msgspec.MsgspecError:
        return
    assert said == msgspec.json.decode(repaired(json.dumps(value)))


@given(st.binary())
def test_repairing_again_changes_nothing(raw: bytes) -> None:
    assert repaired(raw) == repaired(repaired(raw))


@pytest.mark.parametrize("end", [b'"', b"\\", b'\\"', b"\\u", b'"\\ud83d', b"1e4", b"-"])
def test_no_text_makes_it_slow(end: bytes) -> None:
    assert repaired(end * 200_000)


@pytest.mark.parametrize(
    ("raw", "clean"),
    [
        (b'"\\u001b[31m"', b'" [31m"'),
        (b'"\\u0000"', b'" "'),
        (b'"\\b\\f"', b'"  "'),
        (b'"a\\nb\\tc\\r"', b'"a\\nb\\tc\\r"'),
        (b'"\\u000a"', b'"\\u000a"'),
        (b'"\\\\u001b"', b'"\\\\u001b"'),
        (b'"\\\\\\u001b"', b'"\\\\ "'),
        (b'"\x7f"', b'" "'),
        ('"\x9b31m £"'.encode(), '" 31m £"'.encode()),
    ],
)
def test_control_characters_become_blanks(raw: bytes, clean: bytes) -> None:
    assert clean == harmless(raw)


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_no_control_character_but_line_breaks_and_tabs_is_left(text: str) -> None:
    said = msgspec.json.decode(harmless(msgspec.json.encode([text])))[0]
    assert {c for c in said if ord(c) < 32 or 127 <= ord(c) < 160} <= {"\n", "\r", "\t"}


@pytest.mark.parametrize(
    ("text", "one_line"),
    [
        ("spring\x1b[2J", "spring [2J"),
        (" a\r\nb\x00 ", "a b"),
        ("größe", "größe"),
        ("a\xa0b", "a\xa0b"),
        ("a\u2028b", "a b"),
        ("\ufeffMüller\u200b", "Müller"),
        ("\u200e \u00ad", ""),
        ("a\u202eb", "a b"),
        ("\U0001f468\u200d\U0001f469", "\U0001f468\u200d\U0001f469"),
    ],
)
def test_a_line_has_no_control_characters(text: str, one_line: str) -> None:
    assert one_line == line(text)
