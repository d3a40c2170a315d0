"""How inputs are changed besides byte by byte: another value in one place of a JSON or a query.

Most changes of single bytes only break the syntax. What harms a decoder more is a value that nobody
has thought of, in a place where it is looked at.
"""

import json
from collections.abc import Iterator
from random import Random
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode

import msgspec

_DEEP = "\ue000deep\ue000"
"""Stands for brackets within brackets until the JSON is written: no encoder writes so many."""

_VALUES: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 1.5, 2**63, -(2**63) - 1, 10**30, 10**400, 1e308, -1e308, 5e-324),
    *("", " ", "a", "a" * 129, "a" * 5_000, "7", "1" * 400, "1" * 5_000, "-0", "²", "٣", "NaN"),
    *("Infinity", "1e999", "null", "{}", "[]", "{", '{"a":1}', '[{"a":[]}]', "e30=", "%ff", "\x00"),
    *("\n", "\x7f", "\ud7ff", "\U0010ffff", "é@ü.example", "ada@shop.example", "a=1&b=2", "?a=1"),
    *("0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "2026-01-01T12:00:00Z"),
    *("2026-01-01", "12:00", "1970-01-01 00:00:00", "253402300800", "-62135596801", "4070908800"),
    *("http://[", "http://a:99999/", "//", "https://shop.example/?" + "a&" * 200, "http://ﷺ/"),
    *([], {}, [[]], [None], [{}], {"": ""}, {"a": None}, [0] * 300, {"type": []}, _DEEP),
)


def chance(seed: int) -> Random:
    """Give chance that can be repeated."""
    return Random(seed)  # noqa: S311 - not for secrets


def changed(data: bytes, rng: Random) -> bytes | None:
    """Put another value into one place of `data`; None if there is no such place in it."""
    for start in _starts(data):
        if (other := _changed_json(data[start:], rng)) is not None:
            return data[:start] + other
    return _changed_query(data, rng)


def _starts(data: bytes) -> Iterator[int]:
    """Say where a JSON may begin: after the head of a request, after the first line, at once."""
    for separator in (b"\n\n", b"\n"):
        head, found, _ = data.partition(separator)
        if found:
            yield len(head) + len(found)
    yield 0


def _changed_json(data: bytes, rng: Random) -> bytes | None:
    try:
        value = json.loads(data)
        places = list(_places(value))
    except (ValueError, RecursionError):
        return None
    if not places:
        return None
    holder, place = rng.choice(places)
    match rng.randrange(8):
        case 0 if isinstance(holder, dict):
            holder[str(rng.choice(_VALUES))] = holder[place]
        case 1 if isinstance(holder, list):
            holder.append(holder[place])
        case 2:
            _, other = rng.choice([(h, h[p]) for h, p in places])
            holder[place] = json.loads(json.dumps(other))
        case 3:
            del holder[place]
        case _:
            holder[place] = rng.choice(_VALUES)
    brackets = rng.choice((2, 9, 60, rng.randrange(300, 1_010)))
    deep = b"[" * brackets + b"]" * brackets
    try:
        return msgspec.json.encode(value).replace(f'"{_DEEP}"'.encode(), deep)
    except (UnicodeError, RecursionError):
        return None


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    if isinstance(value, dict | list):
        for place in list(value) if isinstance(value, dict) else range(len(value)):
            yield value, place
            yield from _places(value[place])


def _changed_query(data: bytes, rng: Random) -> bytes | None:
    """Change the query in the first line, or a form that follows the head."""
    line, end, rest = data.partition(b"\n")
    path, question, query = line.partition(b"?")
    pairs = parse_qsl(query.decode("ascii", "ignore"), keep_blank_values=True)
    if not pairs:
        return None
    at = rng.randrange(len(pairs))
    pairs[at] = (pairs[at][0], str(rng.choice(_VALUES)))
    if rng.randrange(4) == 0:
        pairs.append(rng.choice(pairs))
    return (
        path + question + urlencode(pairs, quote_via=quote, errors="ignore").encode() + end + rest
    )
