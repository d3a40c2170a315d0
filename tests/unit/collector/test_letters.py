"""The dead letters of every door can be read again, once their cause is gone."""

import json
from collections.abc import Sequence
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from pipeline.collector.circumstances import Held, written
from pipeline.collector.intake import Intake, Limits
from pipeline.collector.letters import Letters
from schemas.codec import Refused, decode_touchpoint, encode
from schemas.dead_letter import DeadLetter, Reason, dead_letter
from schemas.topics import DEAD_LETTERS, RAW
from schemas.touchpoint import Touchpoint
from tests.support.vocabularies import Taken, intake, send, sent

FOLDER = Path(__file__).parents[3] / "schemas" / "examples"
STRICT = Intake(Limits(bytes=1, depth=8, age=timedelta(days=30)))
"""Refuses every call."""


def _has_both(request: dict[str, Any]) -> bool:
    return "?" in request["path"] and bool(request.keys() & {"body", "text"})


EXAMPLES = [
    path
    for path in sorted(FOLDER.glob("*/*.json"))
    if json.loads(path.read_text()).get("expected", {}).get("touchpoints")
]


WHOLE = [path for path in EXAMPLES if not _has_both(json.loads(path.read_text())["request"])]
"""Those that say everything in the body, or everything in the query."""


def name_of(path: Path) -> str:
    return f"{path.parent.name}-{path.stem}"


def letters(taken: Taken) -> list[DeadLetter]:
    return [msgspec.json.decode(one, type=DeadLetter) for one in taken.values(DEAD_LETTERS.name)]


def accepted(taken: Taken) -> list[Touchpoint]:
    return [decode_touchpoint(value) for value in taken.values(RAW.name)]


def made(touchpoints: Sequence[Touchpoint]) -> list[Any]:
    return [json.loads(encode(one)) for one in touchpoints]


@pytest.mark.parametrize("path", EXAMPLES, ids=name_of)
def test_a_letter_becomes_the_touchpoint_that_it_would_have_been(path: Path) -> None:
    request = json.loads(path.read_text())["request"]
    found: list[Touchpoint] = []
    readers = Letters(intake)
    for letter in letters(sent(request, STRICT)):
        with suppress(Refused):  # as those that are refused in the example
            found += readers.read(letter, letter.raw())
    expected = accepted(sent(request))
    if "email" in str(made(expected)):  # its hash is in the letter, and in what an id was made of
        for one in (*found, *expected):
            one.touchpoint_id = ""
    assert made(found) == made(expected)


@pytest.mark.parametrize("path", WHOLE, ids=name_of)
def test_a_request_that_could_not_be_split_is_split_again(path: Path) -> None:
    request = json.loads(path.read_text())["request"]
    taken = sent(request)
    holds: Held = "body" if "text" in request or "body" in request else "query"
    raw = request.get("text", json.dumps(request.get("body"))).encode()
    if holds == "query":
        raw = request["path"].partition("?")[2].encode()
    letter = dead_letter(
        raw,
        site="shop",
        stage="collect",
        reason=Reason.INVALID_FIELD,
        detail="",
        source="shop",
        position=0,
        at=taken.collected.arrival.received_at,
        request=written(taken.collected.arrival, holds),
    )
    found = Letters(intake).read(letter, raw)
    assert made(found) == made(accepted(taken))


def test_an_event_that_could_not_be_translated_is_translated_again() -> None:
    content = json.dumps({"client_id": "c-1", "events": [{"name": "purchase", "params": 7}]})
    taken = send("POST", "/mp/collect?measurement_id=G-1", content.encode())
    [letter] = letters(taken)
    assert letter.payload == '[{"client_id":"c-1"},{"name":"purchase","params":7},0]'
    mended = letter.payload.replace("7", '{"transaction_id":"o-1"}').encode()
    [again] = Letters(intake).read(letter, mended)
    assert (again.name, again.anonymous_id) == ("Order Completed", "c-1")


@pytest.mark.parametrize("broken", [b"7", b"{}", b"[]", b"[1]", b'["a","b","c","d"]', b"null"])
@pytest.mark.parametrize("path", ["/mp/collect", "/batch", "/api/event", "/matomo.php", "/track"])
def test_an_event_that_nobody_could_have_written_is_refused_and_stops_no_replay(
    path: str, broken: bytes
) -> None:
    [letter] = letters(send("POST", "/v1/track", b"{}", reads=STRICT))
    letter.request = msgspec.json.encode({"path": path, "holds": "event"}).decode()
    with pytest.raises(Refused):
        Letters(intake).read(letter, broken)


def test_a_letter_from_before_says_nothing_of_its_request() -> None:
    call = b'{"event": "Product Added", "anonymousId": "ada"}'
    [letter] = letters(send("POST", "/v1/track", call, reads=STRICT))
    letter.request = ""
    [again] = Letters(intake).read(letter, letter.raw())
    assert (again.type, again.name, again.anonymous_id) == ("track", "Product Added", "ada")
