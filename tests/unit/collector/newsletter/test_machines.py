"""Which opens of a mail are a person's."""

import pytest

from pipeline.collector.newsletter.machines import is_machine, is_machine_agent, mail_proxy

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:143.0) Gecko/20100101 Firefox/143.0"
IPHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 "
    "(KHTML, like Gecko) Mobile/15E148"
)
GMAIL = "Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)"
YAHOO = "YahooMailProxy; https://help.yahoo.com/kb/yahoo-mail-proxy-SLN28749.html"
BOT = "Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)"
SOMEWHERE = "192.0.2.0"


@pytest.mark.parametrize("user_agent", [FIREFOX, IPHONE, GMAIL, YAHOO])
def test_a_browser_a_mail_program_and_a_proxy_that_loads_on_demand_stand_for_a_person(
    user_agent: str,
) -> None:
    assert not is_machine({"user-agent": user_agent}, SOMEWHERE)


@pytest.mark.parametrize("user_agent", ["", "Mozilla/5.0", "python-requests/2.32", "curl/8", BOT])
def test_apples_proxy_crawlers_and_libraries_are_machines(user_agent: str) -> None:
    assert is_machine({"user-agent": user_agent}, SOMEWHERE)


def test_who_names_no_user_agent_is_a_machine() -> None:
    assert is_machine({}, SOMEWHERE)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("sec-purpose", "prefetch"),
        ("sec-purpose", "prefetch;prerender"),
        ("purpose", "prefetch"),
        ("x-purpose", "preview"),
        ("x-moz", "Prefetch"),
    ],
)
def test_a_browser_that_only_prefetches_is_a_machine(name: str, value: str) -> None:
    assert is_machine({"user-agent": FIREFOX, name: value}, SOMEWHERE)


def test_apples_network_is_a_machine_and_its_neighbours_are_not() -> None:
    asked = {net: is_machine({"user-agent": IPHONE}, net) for net in NETWORKS}
    assert NETWORKS == asked


NETWORKS = {"16.255.255.0": False, "17.0.0.0": True, "17.255.255.0": True, "18.0.0.0": False} | {
    "": False,
    "2001:db8::": False,
}


def test_a_mail_providers_proxy_is_named() -> None:
    assert [mail_proxy(agent) for agent in (GMAIL, YAHOO, FIREFOX)] == [
        "GoogleImageProxy",
        "YahooMailProxy",
        "",
    ]


@pytest.mark.parametrize(
    "user_agent",
    [
        "Mozilla/5.0 (Windows NT 10.0) Chrome/42.0 Safari/537.36 Edge/12.246 Mozilla/5.0",
        "Microsoft Office Existence Discovery",
        "Mozilla/5.0 (Windows NT 6.1; WOW64) AppleWebKit/534+ (KHTML, like Gecko) BingPreview/1.0b",
    ],
)
def test_what_fetches_a_mail_before_anybody_opens_it_is_a_machine(user_agent: str) -> None:
    assert is_machine_agent(user_agent)
