"""Calls of the shop's own servers: signed, and about people by the names that servers know. PURE.

A till knows a customer's number, a call centre an address. If the call does not say who it is
about, `customer_id`, `subscriber_id`, `email_hash` and `email` do, in properties, in traits or in
those of the context. Two of them in one call join the person: the customer's number becomes the
user, the other the visitor.
"""

import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec

from pipeline.collector.answers import Problem, TurnedAway
from pipeline.collector.decoding import json_value
from pipeline.collector.request import Headers
from pipeline.collector.vocabularies.segment import told_channel
from pipeline.privacy.addresses import is_address, is_hash
from pipeline.privacy.pseudonyms import Pseudonyms, addressee
from pipeline.signed.signature import SIGNATURE, TIMESTAMP, is_recent, is_signed
from pipeline.values.identifiers import identifier
from schemas.codec import Refused

_Object = dict[str, Any]


@dataclass(frozen=True, slots=True)
class ServerApi:
    """Knows the secrets of each site's servers."""

    secrets: Mapping[str, Sequence[str]]
    pseudonyms: Pseudonyms

    def authenticate(self, site: str, headers: Headers, body: bytes, now: datetime) -> None:
        """Raise TurnedAway unless a server of `site` has just signed `body`, as sent."""
        timestamp = headers.get(TIMESTAMP) or ""
        claimed = headers.get(SIGNATURE) or ""
        if not is_recent(timestamp, now):
            raise TurnedAway(
                Problem.BAD_SIGNATURE,
                f"{TIMESTAMP} must be the time in seconds, at most 5 minutes off",
            )
        if not is_signed(self.secrets.get(site, ()), timestamp, body, claimed):
            raise TurnedAway(
                Problem.BAD_SIGNATURE,
                f"{SIGNATURE} was made with none of the site's server secrets",
            )

    def knows(self, site: str, secret: str) -> bool:
        """Tell whether `secret` belongs to one of the site's servers, in constant time."""
        known = (each.encode() for each in self.secrets.get(site, ()))
        return sum(hmac.compare_digest(each, secret.encode()) for each in known) > 0

    def named(self, payload: bytes, site: str) -> bytes:
        """Give a batch whose calls say who they are about; anything but a batch stays as it is."""
        try:
            batch = json_value(payload)
        except Refused:
            return payload
        calls = batch.get("batch") if isinstance(batch, dict) else None
        for call in calls if isinstance(calls, list) else ():
            if isinstance(call, dict):
                self._name(call, site)
        return msgspec.json.encode(batch)

    def _name(self, call: _Object, site: str) -> None:
        said: _Object = {}
        context = call.get("context")
        traits = context.get("traits") if isinstance(context, dict) else None
        for part in (traits, call.get("traits"), call.get("properties")):
            if isinstance(part, dict):
                self._disguise(part, site)
                said |= {name: part[name] for name in _NAMES if _is_word(part.get(name))}
        visitor_id = _visitor_of(said)
        if visitor_id and not _is_word(call.get("anonymousId")):
            call["anonymousId"] = visitor_id
        if "customer_id" in said and not _is_word(call.get("userId")):
            call["userId"] = identifier(said["customer_id"])
        if told_channel(call.get("channel")) and isinstance(call.setdefault("context", {}), dict):
            call["context"].setdefault("channel", call["channel"])

    def _disguise(self, part: _Object, site: str) -> None:
        """Replace an address by its hash, and add a subscriber's pseudonym to the number."""
        number, email_hash = part.get("subscriber_id"), part.get("email_hash")
        if isinstance(email_hash, str):
            part["email_hash"] = email_hash.strip().lower()
        for name in [name for name in part if is_address(name)]:
            address = part.pop(name)
            if isinstance(address, str) and "@" in address:
                part["email_hash"] = self.pseudonyms.email_hash(site, address)
        if _is_word(number):
            part["recipient_id"] = number
            part["subscriber_id"] = self.pseudonyms.subscriber(site, identifier(number))


def _visitor_of(said: _Object) -> str:
    if "subscriber_id" in said:
        return identifier(said["subscriber_id"])
    email_hash = said.get("email_hash")
    return addressee(email_hash) if isinstance(email_hash, str) and is_hash(email_hash) else ""


_NAMES = ("customer_id", "subscriber_id", "email_hash")


def _is_word(value: object) -> bool:
    return identifier(value) != ""
