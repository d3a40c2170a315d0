"""The message about a fact, and which facts an endpoint wants. PURE."""

from typing import NamedTuple

import msgspec

from pipeline.signed.signature import standard_headers
from schemas.codec import Refused, encode, reason_of
from schemas.dead_letter import Reason
from schemas.facts import Abandonment, Transition
from schemas.topics import ABANDONMENTS, TRANSITIONS

TOPICS = (TRANSITIONS.name, ABANDONMENTS.name)

_transitions = msgspec.json.Decoder(Transition)
_abandonments = msgspec.json.Decoder(Abandonment)


class Wishes(NamedTuple):
    """Which facts an endpoint wants; an empty set accepts everything.

    `kinds` are `transition`, `abandonment`, or the kinds of one of them, such as `cart`.
    """

    kinds: frozenset[str] = frozenset()
    models: frozenset[str] = frozenset()
    sites: frozenset[str] = frozenset()


class Message(NamedTuple):
    """A version of a fact to deliver; messages with the same `person` stay in order."""

    fact_id: str
    version: int
    person: str
    body: bytes

    @property
    def idempotency_key(self) -> str:
        """The name of this version of this fact: a receiver can skip a key that it knows."""
        return f"{self.fact_id}:{self.version}"


def message_of(topic: str, value: bytes, wishes: Wishes) -> Message | None:
    """Return the message about a record of `topic`; None if the endpoint does not want it.

    Raises:
        Refused: the value is not a fact.
    """
    fact, kind = _read(topic, value)
    if not is_wanted(fact, kind, wishes):
        return None
    fact_id = fact.transition_id if isinstance(fact, Transition) else fact.abandonment_id
    told = {
        "type": kind,
        "id": fact_id,
        "version": fact.version,
        "is_deleted": fact.is_deleted,
        "fact": fact,
    }
    return Message(fact_id, fact.version, f"{fact.site}:{fact.person_id}", encode(told))


def is_wanted(fact: Transition | Abandonment, kind: str, wishes: Wishes) -> bool:
    """Tell whether an endpoint wants a fact."""
    return all(
        not allowed or not allowed.isdisjoint(said)
        for allowed, said in (
            (wishes.sites, {fact.site}),
            (wishes.models, {fact.model}),
            (wishes.kinds, {kind, fact.kind}),
        )
    )


def headers_of(message: Message, secret: str, timestamp: str) -> dict[str, str]:
    """Return the headers of a request that is sent at `timestamp`, seconds since 1970."""
    return {
        "content-type": "application/json",
        "user-agent": "touchstream-webhook",
        "idempotency-key": message.idempotency_key,
        **standard_headers(secret, message.idempotency_key, int(timestamp), message.body),
    }


def newest(messages: list[Message]) -> list[Message]:
    """Keep only the newest version of each fact, in its place."""
    kept: dict[str, Message] = {}
    for message in messages:
        earlier = kept.get(message.fact_id)
        if earlier is None or message.version >= earlier.version:
            kept.pop(message.fact_id, None)
            kept[message.fact_id] = message
    return list(kept.values())


def _read(topic: str, value: bytes) -> tuple[Transition | Abandonment, str]:
    try:
        if topic == TRANSITIONS.name:
            return _transitions.decode(value), "transition"
        return _abandonments.decode(value), "abandonment"
    except msgspec.ValidationError as error:
        raise Refused(reason_of(str(error)), str(error)) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Refused(Reason.NOT_JSON, str(error)) from None
