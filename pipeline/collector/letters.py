"""The collector's dead letters, read again as the door reads what comes to it. PURE.

A letter knows what came with its bytes (`circumstances`), so that it becomes the touchpoint that it
would have been.
"""

from collections.abc import Sequence
from datetime import datetime

import msgspec

from pipeline.collector.arrival import Arrival
from pipeline.collector.circumstances import Circumstances, read
from pipeline.collector.collect import call_of, collect
from pipeline.collector.decoding import json_value
from pipeline.collector.intake import Intake
from pipeline.collector.mail_providers.receive import Webhooks
from pipeline.collector.request import Request
from pipeline.collector.vocabularies.routes import vocabulary_of
from pipeline.collector.vocabularies.vocabulary import Vocabulary
from schemas.codec import Refused, decode_touchpoint
from schemas.dead_letter import DeadLetter, Reason
from schemas.topics import RAW
from schemas.touchpoint import Touchpoint, TouchpointType

_MOST_EVENTS = 10_000
_MAIL = "/v1/webhooks/"


class _Named(msgspec.Struct):
    event: object = None
    previousId: object = None  # noqa: N815 - Segment's names
    groupId: object = None  # noqa: N815
    traits: object = None


class Letters:
    """Reads letters in the order of their positions, as `intake` reads calls."""

    def __init__(self, intake: Intake, mails: Webhooks | None = None) -> None:
        """Without `mails`, those of the mail providers are refused."""
        self._intake = intake
        self._mails = mails
        self._users: dict[str, str] = {}
        self._arrivals: dict[tuple[str, datetime, str], Arrival] = {}

    def is_one(self, daily_visitor: str, user_id: str) -> bool:
        """Say whether the visitor is this user: the first who was named."""
        return self._users.setdefault(daily_visitor, user_id) == user_id

    def read(self, letter: DeadLetter, raw: bytes) -> Sequence[Touchpoint]:
        """Read the `raw` bytes of a letter; Refused if they still cannot be accepted."""
        told = read(letter.request)
        arrival = self._arrival_of(letter, told)
        if self._mails is not None and told.path.startswith(_MAIL):
            provider = told.path.removeprefix(_MAIL).partition("/")[0]
            return self._mails.read_again(provider, json_value(raw), arrival, letter.position)
        vocabulary = vocabulary_of("POST", told.path) or vocabulary_of("GET", told.path)
        if vocabulary is None:
            return [self._intake.touchpoint(raw, arrival, kind_of_call(raw), letter.position)]
        if told.holds in ("body", "query"):
            return self._all_in(raw, told, vocabulary, arrival)
        call = _translated(raw, vocabulary) if told.holds == "event" else raw
        kind = vocabulary.kind or kind_of_call(call)
        return [self._intake.touchpoint(call, arrival, kind, letter.position)]

    def _arrival_of(self, letter: DeadLetter, told: Circumstances) -> Arrival:
        """Give one for all letters of a request: two equal calls in it are two."""
        key = letter.site, letter.at, letter.request
        if key not in self._arrivals:
            self._arrivals[key] = told.arrival(letter.site, letter.at, self)
        return self._arrivals[key]

    def _all_in(
        self, raw: bytes, told: Circumstances, vocabulary: Vocabulary, arrival: Arrival
    ) -> Sequence[Touchpoint]:
        text = raw.decode(errors="replace")
        request = Request(body=raw, received_at=arrival.received_at)
        if told.holds == "query":
            request = Request(query=text, received_at=arrival.received_at)
        collected = collect(request, vocabulary, arrival, self._intake, _MOST_EVENTS)
        if not collected.accepted and collected.refused:
            raise collected.refused[0][1]
        found = (record.value or b"" for topic, record in collected.records if topic == RAW.name)
        return [decode_touchpoint(value) for value in found]


def _translated(raw: bytes, vocabulary: Vocabulary) -> bytes:
    try:
        call = call_of(json_value(raw), vocabulary)
    except (AttributeError, LookupError, TypeError, ValueError) as error:
        raise Refused(Reason.INVALID_FIELD, f"no event of this vocabulary: {error}") from None
    if isinstance(call, Refused):
        raise call
    return call


def kind_of_call(raw: bytes) -> TouchpointType:
    """Give the type of a call without `type`, which came to a path that has one, as `/v1/track`."""
    try:
        call = msgspec.json.decode(raw, type=_Named)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return "track"
    kinds: tuple[tuple[object, TouchpointType], ...] = (
        (call.event, "track"),
        (call.previousId, "alias"),
        (call.groupId, "group"),
        (call.traits, "identify"),
    )
    return next((kind for said, kind in kinds if said is not None), "page")
