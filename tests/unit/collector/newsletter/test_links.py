"""Signed links: what is signed comes back, anything else is no link."""

import base64
import hashlib
import hmac
import json
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.collector.newsletter.links import (
    BadLink,
    Link,
    destination,
    read,
    sign,
    with_visitor,
)

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
KEYS = ["k" * 32]
UNTIL = int(NOON.timestamp()) + 60


def link(**changed: Any) -> Link:
    said: dict[str, Any] = {
        "purpose": "click",
        "site": "shop",
        "campaign_id": "spring",
        "subscriber_id": "s-1",
        "expires": UNTIL,
        "url": "https://shop.example/a?b=1#c",
    }
    return Link(**said | changed)


def test_what_is_signed_is_read() -> None:
    assert link() == read(sign(link(), KEYS), KEYS, NOON)


def test_a_link_leads_nowhere_from_the_second_of_its_expiry_on() -> None:
    token = sign(link(), KEYS)
    assert read(token, KEYS, NOON + timedelta(seconds=59)) is not None
    assert read(token, KEYS, NOON + timedelta(seconds=60)) is None


def test_the_first_key_signs_and_the_others_are_still_accepted() -> None:
    old, new = ["o" * 32], ["n" * 32, "o" * 32]
    assert read(sign(link(), old), new, NOON) == link()
    assert read(sign(link(), new), old, NOON) is None
    assert read(sign(link(), new), new[:1], NOON) == link()


def test_without_a_key_nothing_is_a_link() -> None:
    assert read(sign(link(), KEYS), [], NOON) is None


@pytest.mark.parametrize(
    "changed",
    [
        {"purpose": "open"},
        {"site": "shop2"},
        {"campaign_id": "summer"},
        {"subscriber_id": "s-2"},
        {"expires": UNTIL + 1},
        {"url": "https://evil.example/"},
    ],
    ids=lambda changed: next(iter(changed)),
)
def test_nothing_in_a_link_can_be_changed(changed: dict[str, Any]) -> None:
    _, mac = sign(link(), KEYS).split(".")
    content, _ = sign(link(**changed), ["x" * 32]).split(".")
    assert read(f"{content}.{mac}", KEYS, NOON) is None


@given(st.text(max_size=200))
def test_no_text_of_a_stranger_is_a_link(text: str) -> None:
    assert read(text, KEYS, NOON) is None


@given(st.integers(0, 10_000), st.integers(0, 255))
def test_a_link_with_one_byte_changed_is_none(place: int, byte: int) -> None:
    """The last letter of each part may hold bits that base64 does not read: they are no change."""
    token = sign(link(), KEYS)
    content, mac = (base64.urlsafe_b64decode(part + "===") for part in token.split("."))
    at = place % len(content)
    forged = content[:at] + bytes([byte]) + content[at + 1 :]
    parts = (base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in (forged, mac))
    assert (read(".".join(parts), KEYS, NOON) is not None) == (forged == content)


def test_the_signature_is_an_hmac_sha256_that_serves_for_links_only() -> None:
    parts = sign(link(), KEYS).split(".")
    content, mac = (base64.urlsafe_b64decode(part + "===") for part in parts)
    url = "https://shop.example/a?b=1#c"
    assert ["click", "shop", "spring", "s-1", UNTIL, url] == json.loads(content)
    assert hmac.new(b"k" * 32, b"touchstream link v1\0" + content, hashlib.sha256).digest() == mac


@pytest.mark.parametrize(
    "url",
    [
        "",
        "/relative",
        "//shop.example/",
        "javascript:alert(1)",
        "data:text/html,x",
        "ftp://shop.example/",
        "https:///nowhere",
        "https://user@shop.example/",
        "https://shop.example:port/",
        "https://shop.example/\r\nset-cookie: a=b",
        "https://shop.example\\@evil.example/",
        "https://[::1/",
        "https://größe_.example/",
        "https://shop.example/" + "a" * 2048,
    ],
)
def test_what_is_no_plain_web_address_is_not_signed(url: str) -> None:
    with pytest.raises(BadLink):
        sign(link(url=url), KEYS)


def test_an_email_address_is_never_put_into_a_link() -> None:
    with pytest.raises(BadLink, match="pseudonymous"):
        sign(link(subscriber_id="ada@shop.example"), KEYS)


@pytest.mark.parametrize("changed", [{"site": "No Site"}, {"campaign_id": ""}, {"expires": -1}])
def test_what_the_collector_would_not_read_is_not_signed(changed: dict[str, Any]) -> None:
    with pytest.raises(BadLink):
        sign(link(**changed), KEYS)


def test_letters_beyond_ascii_are_escaped_and_what_is_escaped_stays() -> None:
    assert "https://a.example/gr%C3%B6%C3%9Fe?q=%C3%BC&x=a%20b" == destination(
        "https://a.example/größe?q=ü&x=a%20b"
    )


# --- the parameter that joins ---------------------------------------------------------------------

HOSTS = ["shop.example"]


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://shop.example", "https://shop.example?ts_link=nl_1"),
        ("https://shop.example/a?b=1&b=%20#c", "https://shop.example/a?b=1&b=%20&ts_link=nl_1#c"),
        ("https://SHOP.example:8443/", "https://SHOP.example:8443/?ts_link=nl_1"),
        ("https://shop.example/?ts_link=nl_2&c", "https://shop.example/?c&ts_link=nl_1"),
        ("https://other.example/", "https://other.example/"),
        ("https://shop.example.evil.example/", "https://shop.example.evil.example/"),
        ("https://notshop.example/", "https://notshop.example/"),
    ],
)
def test_only_a_host_of_the_site_learns_who_has_clicked(url: str, expected: str) -> None:
    assert expected == with_visitor(url, "nl_1", HOSTS)


@given(st.lists(st.tuples(st.from_regex(r"[a-z]{1,5}", fullmatch=True), st.text(max_size=5))))
def test_the_other_parameters_stay(query: list[tuple[str, str]]) -> None:
    url = with_visitor(f"https://shop.example/?{urlencode(query)}", "nl_1", HOSTS)
    told = parse_qsl(urlsplit(url).query, keep_blank_values=True)
    assert [*query, ("ts_link", "nl_1")] == told
