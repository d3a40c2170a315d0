"""Pydantic documents the touchpoint, msgspec decodes it: both hold the same contract."""

from pathlib import Path

import pytest
from pydantic import TypeAdapter, ValidationError

from schemas.codec import Refused, decode_touchpoint, encode
from schemas.dead_letter import Reason
from schemas.touchpoint import Touchpoint

EXAMPLES = Path(__file__).parents[2] / "schemas" / "examples" / "touchpoint"
VALID = sorted((EXAMPLES / "valid").glob("*.json"))
INVALID = sorted((EXAMPLES / "invalid").glob("*.json"))
ONLY_THE_CODEC_CHECKS = {Reason.NO_VISITOR_ID}

adapter = TypeAdapter(Touchpoint)


def named(path: Path) -> str:
    return path.stem


def reason_in(name: str) -> Reason:
    return max((reason for reason in Reason if name.startswith(reason)), key=len)


@pytest.mark.parametrize("path", VALID, ids=named)
def test_both_accept_a_valid_touchpoint_and_read_the_same_out_of_it(path: Path) -> None:
    value = path.read_bytes()
    by_codec = decode_touchpoint(value)
    by_pydantic = adapter.validate_json(value, strict=True)
    assert encode(decode_touchpoint(encode(by_codec))) == encode(by_codec)
    assert adapter.dump_python(by_codec) == adapter.dump_python(by_pydantic)


@pytest.mark.parametrize("path", INVALID, ids=named)
def test_the_codec_refuses_an_invalid_touchpoint_for_the_reason_in_its_name(path: Path) -> None:
    with pytest.raises(Refused) as refusal:
        decode_touchpoint(path.read_bytes())
    assert reason_in(path.stem) == refusal.value.reason


@pytest.mark.parametrize("path", INVALID, ids=named)
def test_pydantic_refuses_an_invalid_touchpoint_too(path: Path) -> None:
    if reason_in(path.stem) in ONLY_THE_CODEC_CHECKS:
        adapter.validate_json(path.read_bytes(), strict=True)
        return
    with pytest.raises(ValidationError):
        adapter.validate_json(path.read_bytes(), strict=True)


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (b'{"site":"No Site","type":"no type"}', Reason.INVALID_FIELD),
        (b'{"type":"no type","site":"No Site"}', Reason.UNKNOWN_TYPE),
        (b'{"site":"No Site"}', Reason.INVALID_FIELD),
        (b'{"site":"No Site","type":', Reason.INVALID_FIELD),
        (b'{"site":"shop","type":', Reason.NOT_JSON),
    ],
)
def test_of_several_mistakes_the_first_one_is_named(value: bytes, reason: Reason) -> None:
    with pytest.raises(Refused) as refusal:
        decode_touchpoint(value)
    assert refusal.value.reason == reason


def test_every_reason_that_the_codec_gives_has_an_example() -> None:
    given = {
        Reason.NOT_JSON,
        Reason.NOT_AN_OBJECT,
        Reason.NO_VISITOR_ID,
        Reason.UNKNOWN_TYPE,
        Reason.UNKNOWN_CHANNEL,
        Reason.MISSING_FIELD,
        Reason.INVALID_FIELD,
        Reason.INVALID_TIME,
    }
    assert given == {reason_in(path.stem) for path in INVALID}
