"""Pydantic documents facts, dead letters and ticks, msgspec writes and reads them: one contract.

That texts hold no control characters is not tried here: msgspec has no such rule, and no need of
one, since the texts of facts come from touchpoints, where the codec has looked for them.
"""

from pathlib import Path

import msgspec
import pytest
from pydantic import TypeAdapter, ValidationError

from schemas.codec import Refused, decode_tick, encode, is_tick
from schemas.json_schema import CONTRACTS
from tests.support.examples import contract_of, examples, parsed, title_of

WRITTEN_BY_US = (
    *("session", "transition", "abandonment", "identity", "link", "dead_letter", "tick"),
)
VALID = examples(*WRITTEN_BY_US, kind="valid")
INVALID = examples(*WRITTEN_BY_US, kind="invalid")
TICKS = examples("tick", kind="valid")


def by_msgspec(path: Path) -> object:
    return msgspec.json.decode(path.read_bytes(), type=CONTRACTS[contract_of(path)])


def by_pydantic(path: Path) -> object:
    adapter: TypeAdapter[object] = TypeAdapter(CONTRACTS[contract_of(path)])
    return adapter.validate_json(path.read_bytes(), strict=True)


@pytest.mark.parametrize("path", VALID, ids=title_of)
def test_both_read_the_same_out_of_a_valid_example(path: Path) -> None:
    assert by_msgspec(path) == by_pydantic(path)


@pytest.mark.parametrize("path", VALID, ids=title_of)
def test_what_is_read_is_written_as_it_stood(path: Path) -> None:
    assert parsed(path) == msgspec.json.decode(encode(by_msgspec(path)))


@pytest.mark.parametrize("path", INVALID, ids=title_of)
def test_msgspec_refuses_an_invalid_example(path: Path) -> None:
    with pytest.raises(msgspec.ValidationError):
        by_msgspec(path)


@pytest.mark.parametrize("path", INVALID, ids=title_of)
def test_pydantic_refuses_an_invalid_example(path: Path) -> None:
    with pytest.raises(ValidationError):
        by_pydantic(path)


@pytest.mark.parametrize("path", TICKS, ids=title_of)
def test_a_tick_is_told_by_its_first_bytes_as_it_stands_and_as_we_write_it(path: Path) -> None:
    value = path.read_bytes()
    assert is_tick(value)
    assert is_tick(encode(decode_tick(value)))


def test_a_tick_of_a_wrong_shape_is_refused() -> None:
    with pytest.raises(Refused, match=r"\$\.tick"):
        decode_tick(b'{"tick":1774170000}')


@pytest.mark.parametrize("path", [path for path in VALID if path not in TICKS], ids=title_of)
def test_nothing_else_that_we_write_looks_like_a_tick(path: Path) -> None:
    assert not is_tick(encode(by_msgspec(path)))
