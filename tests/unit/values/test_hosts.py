"""A host in Unicode and its punycode are one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.collector.limits.gate import is_among
from pipeline.collector.newsletter.links import destination, with_visitor
from pipeline.journey.traffic import TrafficRules
from pipeline.tracker.enrich import is_same_site, read_url
from pipeline.values.hosts import ascii_host, ascii_origin
from schemas.traffic import TrafficSources

UNICODE, PUNYCODE = "müller.example", "xn--mller-kva.example"


@pytest.mark.parametrize(
    ("host", "ascii_one"),
    [
        (UNICODE, PUNYCODE),
        ("MÜLLER.EXAMPLE.", PUNYCODE),
        (PUNYCODE, PUNYCODE),
        ("*.müller.example", f"*.{PUNYCODE}"),
        ("straße.example", "xn--strae-oqa.example"),
        ("日本。example", "xn--wgv71a.example"),
        ("Shop.Example", "shop.example"),
        ("my_shop", "my_shop"),
        ("i\u2764.example", "xn--i-7iq.example"),
        ("\U0001f4a9.example", "xn--ls8h.example"),
        ("", ""),
    ],
)
def test_a_host_is_as_browsers_tell_it(host: str, ascii_one: str) -> None:
    assert ascii_one == ascii_host(host)


@given(st.text())
def test_any_text_is_taken_and_an_ascii_host_stays(text: str) -> None:
    once = ascii_host(text)
    assert not once.isascii() or once == ascii_host(once)


def test_an_origin_of_the_settings_is_that_of_the_page() -> None:
    assert f"https://{PUNYCODE}:8443" == ascii_origin(f"https://{UNICODE}:8443")
    assert is_among(f"https://{PUNYCODE}", [f"https://{UNICODE}"])
    assert not is_among("https://other.example", [f"https://{UNICODE}"])


@pytest.mark.parametrize("own", [UNICODE, PUNYCODE, f"*.{UNICODE}"])
@pytest.mark.parametrize("other", [UNICODE, PUNYCODE, f"pay.{UNICODE}"])
def test_an_exclusion_holds_for_both(own: str, other: str) -> None:
    found = TrafficRules(exclusions=(own,)).look_up(read_url(f"https://{other}/").host)
    assert found is not None
    assert "excluded" == found.kind


def test_a_source_of_a_list_is_found_by_both() -> None:
    rules = TrafficRules(TrafficSources(social={"forum": ("forum.müller.example",)}))
    assert rules.look_up(f"forum.{PUNYCODE}") is not None


def test_a_referrer_of_the_same_site_is_of_the_same_site() -> None:
    page, referrer = read_url(f"https://{UNICODE}/"), read_url(f"https://www.{PUNYCODE}/")
    assert is_same_site(referrer.host, page.host)


@pytest.mark.parametrize("host", [UNICODE, PUNYCODE])
@pytest.mark.parametrize("own", [UNICODE, PUNYCODE])
def test_a_newsletter_link_leads_to_the_host_in_ascii_and_tells_it_who_has_clicked(
    host: str, own: str
) -> None:
    url = destination(f"https://{host}/a")
    assert f"https://{PUNYCODE}/a" == url
    assert f"https://{PUNYCODE}/a?ts_link=v-1" == with_visitor(url, "v-1", [own])
