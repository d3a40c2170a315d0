"""What a vocabulary is: it translates another company's events to Segment's calls. PURE.

A vocabulary splits one request into events and translates each event into one call of Segment's
tracking API. `intake` makes touchpoints of the calls, so that limits, clocks and privacy are the
same for all. What has no counterpart stays in the call's properties, or in its context under the
vocabulary's name. Network addresses and secrets in a protocol are left out.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pipeline.collector.answers import ACCEPTED, STATUSES, TOO_MANY, Answer, Problem
from pipeline.collector.decoding import JsonObject
from pipeline.collector.request import Request
from schemas.codec import Refused, encode
from schemas.touchpoint import TouchpointType

Outcome = Callable[[Sequence[tuple[int, Refused]]], Answer]
"""Writes an answer; it gets the refused events by index."""


@dataclass(frozen=True, slots=True)
class Events:
    """The events of a request: bytes of Segment's calls, or objects to translate.

    `sent_at` is the clock of the device, if the request has one for all its events. `success` is
    the answer that this request asks for, if it differs from the usual one; `outcome` writes it, if
    it says of each event what became of it.
    """

    events: Sequence[Any]
    sent_at: datetime | None = None
    is_batch: bool = False
    success: Answer | None = None
    outcome: Outcome | None = None


Wording = Callable[[Answer, str], Answer]
"""Rewrites an answer for an SDK; it gets the query of the request."""


def _as_it_is(answer: Answer, _query: str) -> Answer:
    return answer


def later(answer: Answer, _query: str = "") -> Answer:
    """Say 503 instead of 429, for SDKs that drop events after a 429 and keep them after a 503."""
    if answer.status != TOO_MANY:
        return answer
    return Answer(STATUSES[Problem.UNAVAILABLE], answer.body, answer.headers)


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """How requests to one path are read and answered.

    `key` finds the write key and `events` the events. `call` translates an event; it is None if
    events are Segment's calls already. All three raise Refused. `kind` is the type of a call that
    names none. If `is_cookieless`, an event without an id belongs to the daily visitor. `wording`
    turns every answer into one that the SDK understands.
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
    """What an SDK requests before it sends: a path (its group is the key), and the answer."""

    path: re.Pattern[str]
    answer: Callable[[str, str], Answer]
    """Returns the answer for a key and the requested host."""


def said(value: JsonObject) -> Answer:
    """Answer 200 with a JSON object."""
    return Answer(200, encode(value))
