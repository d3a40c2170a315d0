"""Newsletter links at work: the open pixel, the click, the unsubscription. PURE.

A GET never unsubscribes: scanners follow every link of a mail. Only the POST of RFC 8058 does,
which mail programs send for one click, and which the page behind the link sends for a person.
"""

import base64
import hashlib
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from html import escape

from msgspec import Raw

from pipeline.collector.answers import Answer, Problem, TurnedAway, refusal
from pipeline.collector.arrival import Arrival, browser
from pipeline.collector.newsletter.links import Link, read, with_visitor
from pipeline.collector.newsletter.machines import is_machine, mail_proxy
from pipeline.collector.request import Headers
from pipeline.privacy.pseudonyms import Pseudonyms
from schemas.codec import encode
from schemas.touchpoint import Touchpoint

_GIF = base64.b64decode("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7")
_NO_STORE = ("cache-control", "no-store")
_HTML = [
    ("content-type", "text/html; charset=utf-8"),
    ("content-security-policy", "default-src 'none'; style-src 'unsafe-inline'"),
    ("referrer-policy", "no-referrer"),
    ("x-robots-tag", "noindex"),
    _NO_STORE,
]
_ONE_CLICK = re.compile(
    rb'\bList-Unsubscribe(?:=|"\r\n(?:[^\r\n]{1,200}\r\n){0,4}\r\n)One-Click(?=$|[&\r])', re.ASCII
)
"""The field of RFC 8058 in a form, urlencoded or multipart; bounded, for it could cost minutes."""

_PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{title}</title>
<style>body{{font:1.1rem/1.5 system-ui,sans-serif;max-width:32rem;margin:15vh auto;padding:0 1rem}}
button{{font:inherit;padding:.6rem 1.2rem}}</style>
<h1>{title}</h1>{rest}</html>
"""
_FORM = (
    '<form method="post"><input type="hidden" name="List-Unsubscribe" value="One-Click">'
    "<button>{label}</button></form>"
)


@dataclass(frozen=True, slots=True)
class Followed:
    """The result of a request to a link: the answer and the touchpoint."""

    answer: Answer
    touchpoint: Touchpoint | None = None
    must_answer: bool = False
    """Whether the answer is sent even if Kafka does not acknowledge the touchpoint."""


@dataclass(frozen=True, slots=True)
class Newsletter:
    """Knows the keys of links, and the hosts of each site that may learn who has clicked."""

    keys: Sequence[str]
    pseudonyms: Pseudonyms
    hosts: Mapping[str, Collection[str]] = field(default_factory=dict)

    def follow(
        self, method: str, token: str, headers: Headers, arrival: Arrival, body: bytes
    ) -> Followed:
        """Answer a request; `arrival.site` is filled in from the link.

        Raises:
            TurnedAway: no key of ours signed the link, or it has expired.
        """
        link = read(token, self.keys, arrival.received_at)
        if link is None or method not in _METHODS[link.purpose]:
            raise TurnedAway(Problem.NOT_FOUND, "this link is not valid, or not any more")
        arrival.site = link.site
        if link.purpose == "unsubscribe":
            return self._unsubscribe(link, method, token, arrival, body)
        visit = _Visit(link, token, arrival, headers, is_machine(headers, arrival.ip))
        if link.purpose == "open":
            return Followed(_pixel(), None if method == "HEAD" else self._seen(visit))
        return Followed(
            self._redirect(visit), None if method == "HEAD" else self._seen(visit), must_answer=True
        )

    def _redirect(self, visit: "_Visit") -> Answer:
        link, url = visit.link, visit.link.url
        if not visit.is_machine:  # a scanner that joins two people would join many
            visitor_id = self.pseudonyms.subscriber(link.site, link.subscriber_id)
            url = with_visitor(url, visitor_id, self.hosts.get(link.site, ()))
        return Answer(302, headers=[("location", url), _NO_STORE])

    def _seen(self, visit: "_Visit") -> Touchpoint:
        link = visit.link
        agent = visit.headers.get("user-agent") or ""
        said: dict[str, object] = {}
        if link.purpose == "click":
            said["link_url"] = link.url
        if visit.is_machine:
            said[f"is_machine_{link.purpose}"] = True
        if proxy := mail_proxy(agent):
            said["mail_proxy"] = proxy
        elif visit.arrival.country and not visit.is_machine:
            said["country"] = visit.arrival.country
        identity = f"{visit.token}\0{visit.arrival.received_ms}"
        shown = "" if proxy else browser(agent)
        return self._touchpoint(link, visit.arrival, identity, said, shown)

    def _unsubscribe(
        self, link: Link, method: str, token: str, arrival: Arrival, body: bytes
    ) -> Followed:
        if method != "POST":
            return Followed(_page("Unsubscribe?", _FORM.format(label="Unsubscribe")))
        if not _ONE_CLICK.search(body):
            return Followed(
                refusal(Problem.NOT_FOUND, "POST List-Unsubscribe=One-Click, as RFC 8058 has it")
            )
        touchpoint = self._touchpoint(link, arrival, token, {})
        return Followed(_page("You are unsubscribed.", ""), touchpoint)

    def _touchpoint(
        self,
        link: Link,
        arrival: Arrival,
        identity: str,
        said: dict[str, object],
        user_agent: str = "",
    ) -> Touchpoint:
        subscriber_id = self.pseudonyms.subscriber(link.site, link.subscriber_id)
        properties = {
            "campaign_id": link.campaign_id,
            "subscriber_id": subscriber_id,
            "recipient_id": link.subscriber_id,
        }
        return Touchpoint(
            touchpoint_id=hashlib.blake2b(identity.encode(), digest_size=16).hexdigest(),
            site=link.site,
            type="track",
            name=_NAMES[link.purpose],
            channel="newsletter",
            occurred_at=arrival.received_at,
            received_at=arrival.received_at,
            properties=Raw(encode(properties | said)),
            anonymous_id=subscriber_id,
            url=link.url,
            user_agent=user_agent,
            ip=arrival.ip,
        )


@dataclass(frozen=True, slots=True)
class _Visit:
    link: Link
    token: str
    arrival: Arrival
    headers: Headers
    is_machine: bool


_NAMES = {"open": "Email Opened", "click": "Email Link Clicked", "unsubscribe": "Unsubscribed"}
_METHODS = {
    "open": ("GET", "HEAD"),
    "click": ("GET", "HEAD"),
    "unsubscribe": ("GET", "HEAD", "POST"),
}


def _pixel() -> Answer:
    return Answer(200, _GIF, [("content-type", "image/gif"), _NO_STORE])


def _page(title: str, rest: str) -> Answer:
    return Answer(200, _PAGE.format(title=escape(title), rest=rest).encode(), _HTML)
