"""PURE: the memories of a site's judges, to JSON and back."""

from collections.abc import Mapping
from dataclasses import fields

import msgspec
import numpy as np

from pipeline.roles.watch.counts import Slice
from pipeline.roles.watch.evidence import Evidence
from pipeline.roles.watch.judge import Memory, Opened
from pipeline.roles.watch.site import Question

_LOWEST = -1e300
"""JSON has no infinity."""


class _Stored(msgspec.Struct):
    question: Question
    minute: int
    slices: tuple[Slice, ...]
    evidence: dict[str, list[list[float]]]
    opened: Opened | None


_decoder = msgspec.json.Decoder(list[_Stored])


def written(memories: Mapping[Question, Memory]) -> str:
    """Write all memories of a site as JSON."""
    stored = [
        _Stored(question, m.minute, m.slices, _numbers(m.evidence), m.opened)
        for question, m in memories.items()
    ]
    return msgspec.json.encode(stored).decode()


def read(text: str) -> dict[Question, Memory]:
    """Read what `written` returned; anything else gives no memories."""
    try:
        stored = _decoder.decode(text)
        return {s.question: Memory(s.minute, s.slices, _evidence(s), s.opened) for s in stored}
    except (msgspec.DecodeError, TypeError, ValueError):
        return {}


def _numbers(evidence: Evidence) -> dict[str, list[list[float]]]:
    return {
        field.name: np.maximum(getattr(evidence, field.name), _LOWEST).tolist()
        for field in fields(Evidence)
    }


def _evidence(stored: _Stored) -> Evidence:
    return Evidence(**{name: np.array(rows) for name, rows in stored.evidence.items()})
