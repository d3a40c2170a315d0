"""From a provider's event to a touchpoint, without the address of anybody. PURE.

Nothing in an event is lost: fields without a place of their own are in the property `details`. Left
out are IP addresses, places to the street, names and phone numbers, and what is nested deeper than
eight levels; every e-mail address, wherever it stands, becomes its hash.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from msgspec import Raw

from pipeline.collector.answers import Problem, TurnedAway
from pipeline.collector.arrival import Arrival, browser
from pipeline.collector.clock import sequence
from pipeline.collector.collect import Collected
from pipeline.collector.mail_providers import (
    brevo,
    mailchimp,
    mailgun,
    mandrill,
    postmark,
    sendgrid,
)
from pipeline.collector.mail_providers.delivery import Delivery, MailEvent, made_id
from pipeline.collector.newsletter.machines import is_machine_agent, mail_proxy
from pipeline.privacy.addresses import bare, is_hash
from pipeline.privacy.masking import USUAL, Masks
from pipeline.privacy.pseudonyms import Pseudonyms, addressee
from pipeline.values.identifiers import identifier
from pipeline.values.texts import line
from schemas.codec import Refused, decode_touchpoint, encode
from schemas.dead_letter import Reason
from schemas.fields import LONGEST_ID, Channel
from schemas.touchpoint import Touchpoint

PROVIDERS = {
    "brevo": brevo.PROVIDER,
    "mailchimp": mailchimp.PROVIDER,
    "mailgun": mailgun.PROVIDER,
    "mandrill": mandrill.PROVIDER,
    "postmark": postmark.PROVIDER,
    "sendgrid": sendgrid.PROVIDER,
}

_ADDRESS = re.compile(r"[\w.+'-]{1,64}(?:@|%40)[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+")
_PRIVATE = re.compile(r"(?is)(?:.*[_-])?ip(?:[_-].*)?|coords|zip|content|.*\[?merges\b.*|signature")
_MACHINE = {"Email Opened": "is_machine_open", "Email Link Clicked": "is_machine_click"}
_DEEPEST = 8


@dataclass(frozen=True, slots=True)
class Webhooks:
    """Knows the secrets by `provider/site`, the largest touchpoint in bytes, and the longest batch.

    Everything it reads goes through `masks`.
    """

    secrets: Mapping[str, Sequence[str]]
    pseudonyms: Pseudonyms
    largest: int
    longest: int
    masks: Masks = USUAL
    placeholders: Mapping[str, frozenset[str]] = field(default_factory=dict)

    def secrets_of(self, place: str) -> Sequence[str]:
        """Give the secrets of provider/site; TurnedAway if no webhook of it is expected."""
        if place not in self.secrets:
            raise TurnedAway(Problem.NOT_FOUND, "no such provider/site in the settings")
        return self.secrets[place]

    def receive(self, place: str, delivery: Delivery, arrival: Arrival) -> Collected:
        """Give the touchpoints of a request; events that cannot be read become dead letters.

        Raises:
            TurnedAway: the webhook is unknown, the signature is wrong, or the body is not
                a list of events or too long.
        """
        secrets = self.secrets_of(place)
        provider = PROVIDERS[place.partition("/")[0]]
        genuine = [provider.is_genuine(delivery, secret) for secret in secrets]
        if not any(genuine):
            raise TurnedAway(Problem.BAD_SIGNATURE, "not signed by a known secret, or too old")
        try:
            events = provider.events(delivery.body)
        except Refused as why:
            raise TurnedAway(why.reason, why.detail) from None
        if len(events) > self.longest:
            detail = f"{len(events)} events; a batch has {self.longest} at most"
            raise TurnedAway(Reason.TOO_LARGE, detail)
        collected = Collected(arrival, is_batch=True, masks=self.masks)
        for index, said in enumerate(events):
            try:
                if event := provider.read(said):
                    collected.keep(self._touchpoint(event, said, arrival, index))
            except Refused as why:
                collected.refuse(index, encode(self._scrubbed(said, arrival.site)), why)
        return collected

    def read_again(
        self, provider: str, said: Any, arrival: Arrival, place: int
    ) -> list[Touchpoint]:
        """Read an event of a dead letter, where hashes stand for addresses; or Refused."""
        if provider not in PROVIDERS:
            raise Refused(Reason.UNKNOWN_TYPE, f"no provider is called {provider!r}")
        event = PROVIDERS[provider].read(said)
        return [self._touchpoint(event, said, arrival, place)] if event else []

    def _touchpoint(self, event: MailEvent, said: Any, arrival: Arrival, place: int) -> Touchpoint:
        email_hash = self._hash_of(event.address, arrival.site)
        touchpoint = Touchpoint(
            touchpoint_id=_fitting(identifier(event.event_id)) or made_id(encode(said)),
            site=arrival.site,
            type="track",
            name=event.name,
            channel=_channel(event),
            occurred_at=min(event.at, arrival.received_at),
            ts_adjusted=event.at > arrival.received_at,
            received_at=arrival.received_at,
            properties=Raw(encode(self._properties(event, said, email_hash, arrival.site))),
            anonymous_id=self._subscriber(event, arrival.site) or addressee(email_hash),
            url=line(str(self._scrubbed(event.url, arrival.site))),
            sequence=sequence(event.at, arrival.received_at, place),
            user_agent="" if mail_proxy(event.user_agent) else browser(event.user_agent),
        )
        value = encode(touchpoint)
        if len(value) > self.largest:
            raise Refused(Reason.TOO_LARGE, f"a touchpoint has {self.largest} bytes at most")
        return decode_touchpoint(value)

    def _hash_of(self, address: str, site: str) -> str:
        if is_hash(plain := bare(address)):
            return plain
        if "@" not in address:
            raise Refused(Reason.NO_VISITOR_ID, "no e-mail address says whose mail it is")
        return self.pseudonyms.email_hash(site, address)

    def _subscriber(self, event: MailEvent, site: str) -> str:
        number = identifier(event.subscriber_id, self.placeholders.get(site, ()))
        return self.pseudonyms.subscriber(site, number) if number and "@" not in number else ""

    def _properties(
        self, event: MailEvent, said: Any, email_hash: str, site: str
    ) -> dict[str, Any]:
        url = self._scrubbed(event.url, site)
        told: dict[str, Any] = {
            "email_hash": email_hash,
            "email_id": event.message_id,
            "email_subject": self._scrubbed(event.subject, site),
            "campaign_id": event.campaign_id,
            "list_id": event.list_id,
            "subscriber_id": self._subscriber(event, site),
            "recipient_id": self._scrubbed(event.subscriber_id, site),
            "link_url": url,
            "mail_proxy": mail_proxy(event.user_agent),
        }
        if event.name in _MACHINE and _is_machine(event):
            told[_MACHINE[event.name]] = True
        kept = {name: value for name, value in told.items() if value}
        return kept | {"details": self._scrubbed(said, site)}

    def _scrubbed(self, value: Any, site: str, depth: int = 0) -> Any:
        """Hash every address in a JSON value, and leave out private data."""
        if depth > _DEEPEST:
            return "nested too deeply"
        if isinstance(value, str):
            return _ADDRESS.sub(lambda found: self._hashed(found[0], site), value)
        if isinstance(value, list):
            return [self._scrubbed(part, site, depth + 1) for part in value]
        if not isinstance(value, dict):
            return value
        return {
            str(self._scrubbed(name, site)): self._scrubbed(part, site, depth + 1)
            for name, part in value.items()
            if not _PRIVATE.fullmatch(name)
        }

    def _hashed(self, address: str, site: str) -> str:
        return self.pseudonyms.email_hash(site, address.replace("%40", "@"))


def _is_machine(event: MailEvent) -> bool:
    return event.is_machine or (event.user_agent != "" and is_machine_agent(event.user_agent))


def _channel(event: MailEvent) -> Channel:
    """Give newsletter for mails of a campaign or a list; others are order mails and the like."""
    return "newsletter" if event.campaign_id or event.list_id else "email"


def _fitting(event_id: str) -> str:
    return event_id if len(event_id) <= LONGEST_ID else made_id(event_id)
