"""Signed links of a newsletter. PURE.

A token is the link's content in JSON and its HMAC-SHA256, both in base64url, separated by a dot. A
link that is not signed with one of our keys, or that has expired, is invalid, so nobody can make
the collector redirect to a place of their choice.
"""

import re
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Annotated, Literal
from urllib.parse import quote, urlsplit, urlunsplit

import msgspec
from msgspec import Meta, Struct

from pipeline.signed.signature import seal, unseal
from pipeline.values.hosts import ascii_host
from schemas.errors import Unusable
from schemas.fields import Id, Name, Site

PATH = "/n/"
"""What the path of every link begins with; the token follows."""

PARAMETER = "ts_link"
"""The URL parameter that says which subscriber has clicked."""

LONGEST_URL = 2048
_LONGEST_TOKEN = 8192
_CONTEXT = b"touchstream link v1\0"
_RESERVED = "%/:?#[]@!$&'()*+,;=~-._"
_BLANK = re.compile(r"[\x00-\x20\x7f\\]")

Purpose = Literal["click", "open", "unsubscribe"]


class BadLink(Unusable, ValueError):
    """A link that cannot be signed; the text says why."""


class Link(Struct, array_like=True, frozen=True):
    """What a link does, for whom, and until when (`expires`, seconds since 1970).

    `subscriber_id` is the sender's own pseudonymous number; `url` is where a click leads.
    """

    purpose: Purpose
    site: Site
    campaign_id: Name
    subscriber_id: Id
    expires: Annotated[int, Meta(ge=0)]
    url: Annotated[str, Meta(max_length=LONGEST_URL)] = ""


_links = msgspec.json.Decoder(Link)


def sign(link: Link, keys: Sequence[str]) -> str:
    """Give the token of `link`, signed with the first of `keys`.

    Raises:
        BadLink: the destination is none, or the subscriber is an e-mail address.
    """
    if "@" in link.subscriber_id:
        raise BadLink("the subscriber is an e-mail address; give its pseudonymous number instead")
    if link.purpose == "click":
        link = msgspec.structs.replace(link, url=destination(link.url))
    content = msgspec.json.encode(link)
    try:
        _links.decode(content)
    except msgspec.ValidationError as error:
        raise BadLink(str(error)) from None
    return seal(content, keys[0], _CONTEXT)


def read(token: str, keys: Collection[str], now: datetime) -> Link | None:
    """Give the content of a token; None if it has expired or none of our keys signed it."""
    said = unseal(token[: _LONGEST_TOKEN + 1], keys, _CONTEXT)
    if said is None:
        return None
    link = _links.decode(said)
    if _BLANK.search(link.url):  # `sign` writes none
        return None
    return link if now.timestamp() < link.expires else None


def destination(url: str) -> str:
    """Give `url` in the form for a redirect: absolute, http or https, ASCII.

    Raises:
        BadLink: it leads nowhere on the web, names a user, or is too long.
    """
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        raise BadLink(f"{url}: {error}") from None
    if parts.scheme not in {"http", "https"} or not host or _BLANK.search(url):
        raise BadLink(f"{url}: not an http or https address")
    if "@" in parts.netloc or not ascii_host(host).isascii():
        raise BadLink(f"{url}: the host must be one of the net, without a user name")
    place = parts.netloc if host.isascii() else parts.netloc.lower().replace(host, ascii_host(host))
    quoted = quote(urlunsplit(parts._replace(netloc=place)), safe=_RESERVED)
    if len(quoted) > LONGEST_URL:
        raise BadLink(f"{url[:80]}...: longer than {LONGEST_URL} characters")
    return quoted


def with_visitor(url: str, visitor_id: str, hosts: Collection[str]) -> str:
    """Add the parameter `ts_link` to `url` if its host is one of `hosts`.

    An existing one belongs to somebody else, copied from an address bar; it is removed.
    """
    parts = urlsplit(url)
    if ascii_host(parts.hostname or "") not in map(ascii_host, hosts):
        return url
    kept = [each for each in parts.query.split("&") if each.partition("=")[0] != PARAMETER]
    told = [*filter(None, kept), f"{PARAMETER}={visitor_id}"]
    return urlunsplit(parts._replace(query="&".join(told)))
