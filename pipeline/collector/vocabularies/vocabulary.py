"""What a vocabulary is: another company's words, told as Segment's calls. PURE.

A vocabulary reads one request into events and translates one event into one call of Segment's
tracking API; `intake` makes the touchpoint of it, so that limits, clocks and privacy are the same
for all. What has no counterpart stays in the call's properties, or in its context under the
vocabulary's name. The network address and the secrets that some protocols carry are left out.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pipeline.collector.answers import ACCEPTED, STATUSES, TOO_MANY, Answer, Problem
from pipeline.collector.decoding import JsonObject
from pipeline.collector.request import Request
from schemas.codec import encode
from schemas.touchpoint import TouchpointType


@dataclass(frozen=True, slots=True)
class Events:
    """The events of a request: bytes of Segment's calls, or objects that are to be translated.

    `sent_at` is the clock of the device, where the request has one for all its events; `success`
    the answer that this request asks for, where it is not the same for all.
    """

    events: Sequence[Any]
    sent_at: datetime | None = None
    is_batch: bool = False
    success: Answer | None = None


Wording = Callable[[Answer, str], Answer]
"""Puts an answer in an SDK's own words; it is given the query of the request."""


def _as_it_is(answer: Answer, _query: str) -> Answer:
    return answer


def later(answer: Answer, _query: str = "") -> Answer:
    """Say 503 instead of 429, to who drops what was too much and keeps what was unavailable."""
    if answer.status != TOO_MANY:
        return answer
    return Answer(STATUSES[Problem.UNAVAILABLE], answer.body, answer.headers)


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """How requests to one path are read and answered.

    `key` finds the write key and `events` the events; `call` translates one, or is None when they
    are Segment's already. All three raise Refused. `kind` is the type of a call that names none.
    If `is_cookieless`, an event of nobody is the daily visitor's. `wording` makes of every answer
    one that the SDK understands.
    """

    key: Callable[[Request], str | None]
    events: Callable[[Request], Events]
    call: Callable[[Any], JsonObject] | None = None
    kind: TouchpointType | None = None
    success: Answer = ACCEPTED
    is_cookieless: bool = False
    wording: Wording = _as_it_is


Routes = dict[tuple[str, str], Vocabulary]
"""Vocabularies by method and path."""


@dataclass(frozen=True, slots=True)
class SetUp:
    """What an SDK asks before it sends: a path (its group is the key), and the answer."""

    path: re.Pattern[str]
    answer: Callable[[str, str], Answer]
    """Gives the answer for a key and the host that was asked."""


def said(value: JsonObject) -> Answer:
    """Answer 200 with a JSON object."""
    return Answer(200, encode(value))
