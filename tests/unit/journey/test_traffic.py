"""What brought a visit: the list of sources, the rules of the channel groups, and their order."""

from pathlib import Path
from typing import Any

import pytest

from pipeline.journey.rules import compile_rules
from pipeline.journey.state import Traffic
from pipeline.journey.traffic import GROUPS, TrafficRules, Visit, channel_group, trace
from pipeline.tracker.enrich import read_url
from schemas.facts import Session
from schemas.fields import Channel
from schemas.traffic import load_sources
from tests.support.journeys import HOUR, MINUTE, RULES, Life, only, seen

SHIPPED = load_sources()
RULES_OF_TRAFFIC = TrafficRules(SHIPPED)


def traced(rules: TrafficRules = RULES_OF_TRAFFIC, **first: Any) -> Traffic:
    return trace(seen("a", **{"channel": "website"} | first), rules)


def told(**first: Any) -> tuple[str, str, str]:
    found = traced(**first)
    return found.source, found.medium, found.group


def referred(host: str) -> tuple[str, str, str]:
    return told(referrer_host=host)


def tagged(source: str, medium: str, campaign: str = "") -> str:
    return traced(utm_source=source, utm_medium=medium, utm_campaign=campaign).group


# --- the rules, in their order ------------------------------------------------------------------


def test_the_groups_stand_in_the_order_of_google_with_newsletter_before_email() -> None:
    assert [name for name, _ in GROUPS] == [
        "Direct",
        "Cross-network",
        "Paid Shopping",
        "Paid Search",
        "Paid Social",
        "Paid Video",
        "Display",
        "Paid Other",
        "Organic Shopping",
        "Organic Social",
        "Organic Video",
        "Organic Search",
        "Referral",
        "Newsletter",
        "Email",
        "Affiliates",
        "Audio",
        "SMS",
        "Mobile Push Notifications",
        "AI Assistant",
    ]


@pytest.mark.parametrize(
    ("visit", "group"),
    [
        (Visit("(direct)", "(none)"), "Direct"),
        (Visit("(direct)", "(not set)"), "Direct"),
        (Visit("(direct)", "email"), "Email"),
        (Visit("(direct)", "(none)", "cross-network"), "Direct"),
    ],
)
def test_direct_needs_a_direct_source_without_a_medium(visit: Visit, group: str) -> None:
    assert group == channel_group(visit)


@pytest.mark.parametrize(
    ("source", "medium", "campaign", "group"),
    [
        ("google", "cpc", "Summer Cross-Network 1", "Cross-network"),
        ("google", "(not set)", "cross-network", "Cross-network"),
        ("newsletter", "email", "cross-network", "Cross-network"),
        # Paid, by the kind of the source; shopping is asked before search.
        ("idealo", "cpc", "", "Paid Shopping"),
        ("google", "cpc", "summer-shopping", "Paid Shopping"),
        ("google", "cpc", "Shop the look", "Paid Shopping"),
        ("google", "cpc", "eshop", "Paid Shopping"),
        ("google", "cpc", "my-shop", "Paid Shopping"),
        ("google", "cpc", "workshop", "Paid Search"),
        ("google", "cpc", "bishop", "Paid Search"),
        ("google", "CPC", "", "Paid Search"),
        ("Bing", "ppc", "", "Paid Search"),
        ("google", "retargeting", "", "Paid Search"),
        ("google", "paid-search", "", "Paid Search"),
        ("google", "unpaid", "", "Organic Search"),
        ("google", "ppcs", "", "Organic Search"),
        ("google", "retargeting2", "", "Organic Search"),
        ("facebook", "cpm", "", "Paid Social"),
        ("fb", "paid_social", "", "Paid Social"),
        ("l.instagram.com", "cpc", "", "Paid Social"),
        ("youtube", "cpv", "", "Paid Video"),
        ("youtube", "cpc", "", "Paid Video"),
        # A listed source with cpm is paid before it is display; another one is display.
        ("magazine", "cpm", "", "Display"),
        ("magazine", "display", "", "Display"),
        ("magazine", "banner", "", "Display"),
        ("magazine", "expandable", "", "Display"),
        ("magazine", "interstitial", "", "Display"),
        ("google", "display", "", "Display"),
        ("magazine", "cpc", "", "Paid Other"),
        ("magazine", "paid", "", "Paid Other"),
        ("newsletter", "cpc", "", "Paid Other"),
        ("chatgpt.com", "cpc", "", "Paid Other"),
        # Organic.
        ("idealo", "referral", "", "Organic Shopping"),
        ("magazine", "referral", "shopping-week", "Organic Shopping"),
        ("newsletter", "email", "shop-opening", "Organic Shopping"),
        ("facebook", "anything", "", "Organic Social"),
        ("magazine", "social", "", "Organic Social"),
        ("magazine", "social-network", "", "Organic Social"),
        ("magazine", "social-media", "", "Organic Social"),
        ("magazine", "sm", "", "Organic Social"),
        ("magazine", "social network", "", "Organic Social"),
        ("magazine", "social media", "", "Organic Social"),
        ("facebook", "email", "", "Organic Social"),
        ("youtube", "organic", "", "Organic Video"),
        ("magazine", "promovideo", "", "Organic Video"),
        ("google", "(not set)", "", "Organic Search"),
        ("google", "email", "", "Organic Search"),
        ("intranet", "organic", "", "Organic Search"),
        # The rest.
        ("magazine", "referral", "", "Referral"),
        ("magazine", "app", "", "Referral"),
        ("magazine", "link", "", "Referral"),
        ("email", "referral", "", "Referral"),
        ("newsletter", "referral", "", "Referral"),
        ("chatgpt", "referral", "", "Referral"),
        ("newsletter", "email", "", "Newsletter"),
        ("newsletter-kw12", "email", "", "Newsletter"),
        ("mailchimp", "newsletter", "", "Newsletter"),
        ("crm", "email", "", "Email"),
        ("crm", "e-mail", "", "Email"),
        ("crm", "e_mail", "", "Email"),
        ("crm", "E Mail", "", "Email"),
        ("email", "transactional", "", "Email"),
        ("partner", "affiliate", "", "Affiliates"),
        ("partner", "affiliates", "", "Unassigned"),
        ("podcast", "audio", "", "Audio"),
        ("crm", "sms", "", "SMS"),
        ("sms", "reminder", "", "SMS"),
        ("crm", "webpush", "", "Mobile Push Notifications"),
        ("crm", "mobile-app", "", "Mobile Push Notifications"),
        ("crm", "in-notification-x", "", "Mobile Push Notifications"),
        ("firebase", "crm", "", "Mobile Push Notifications"),
        ("crm", "pushed", "", "Unassigned"),
        ("perplexity", "ai-assistant", "", "AI Assistant"),
        ("a-new-bot", "ai-assistant", "", "AI Assistant"),
        ("chatgpt.com", "chat", "", "AI Assistant"),
        ("flyer", "qr", "", "Unassigned"),
    ],
)
def test_the_first_rule_that_holds_names_the_group(
    source: str, medium: str, campaign: str, group: str
) -> None:
    # (not set) is what a tag without a medium becomes.
    assert group == tagged(source, medium.replace("(not set)", ""), campaign)


# --- where source and medium come from ----------------------------------------------------------


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("", ("(direct)", "(none)", "Direct")),
        ("www.google.com", ("google", "organic", "Organic Search")),
        ("www.google.co.uk", ("google", "organic", "Organic Search")),
        ("google.de", ("google", "organic", "Organic Search")),
        ("com.google.android.googlequicksearchbox", ("google", "organic", "Organic Search")),
        ("de.search.yahoo.com", ("yahoo", "organic", "Organic Search")),
        ("duckduckgo.com", ("duckduckgo", "organic", "Organic Search")),
        ("l.facebook.com", ("facebook", "referral", "Organic Social")),
        ("t.co", ("twitter", "referral", "Organic Social")),
        ("out.reddit.com", ("reddit", "referral", "Organic Social")),
        ("m.youtube.com", ("youtube", "referral", "Organic Video")),
        ("www.idealo.de", ("idealo", "referral", "Organic Shopping")),
        ("shopping.google.de", ("google-shopping", "referral", "Organic Shopping")),
        ("chatgpt.com", ("chatgpt", "ai-assistant", "AI Assistant")),
        ("www.perplexity.ai", ("perplexity", "ai-assistant", "AI Assistant")),
        ("claude.ai", ("claude", "ai-assistant", "AI Assistant")),
        ("gemini.google.com", ("gemini", "ai-assistant", "AI Assistant")),
        ("copilot.microsoft.com", ("copilot", "ai-assistant", "AI Assistant")),
        ("mail.google.com", ("gmail", "email", "Email")),
        ("com.google.android.gm", ("gmail", "email", "Email")),
        ("3c.gmx.net", ("gmx", "email", "Email")),
        ("docs.google.com", ("docs.google.com", "referral", "Referral")),
        ("google.evil.example", ("google.evil.example", "referral", "Referral")),
        ("notfacebook.com", ("notfacebook.com", "referral", "Referral")),
        ("blog.example", ("blog.example", "referral", "Referral")),
        ("2001:db8::1", ("2001:db8::1", "referral", "Referral")),
    ],
)
def test_a_referrer_is_a_listed_source_or_a_referral(
    host: str, expected: tuple[str, str, str]
) -> None:
    assert expected == referred(host)


@pytest.mark.parametrize(
    "host",
    [
        "www.paypal.com",
        "paypal.com",
        "paypal.de",
        "pay.klarna.com",
        "www.sofort.com",
        "checkout.stripe.com",
        "hooks.stripe.com",
        "checkoutshopper-live.adyen.com",
        "centinelapi.cardinalcommerce.com",
        "secure7.arcot.com",
        "www.securecode.com",
        "pay.amazon.de",
        "www.mollie.com",
    ],
)
def test_who_comes_back_from_paying_was_not_sent_by_the_payment_provider(host: str) -> None:
    assert referred(host) == ("(direct)", "(none)", "Direct")


@pytest.mark.parametrize("name", SHIPPED.excluded)
def test_every_excluded_host_brings_nobody(name: str) -> None:
    for spelling in SHIPPED.excluded[name]:
        host = spelling.replace("*.", "x.", 1) if spelling[0] == "*" else spelling
        assert referred(host.replace(".*", ".de"))[2] == "Direct"


def test_a_setting_excludes_more_hosts_with_all_below_them() -> None:
    rules = TrafficRules(SHIPPED, exclusions=("Shop.Example", "facebook.com"))
    for host in ("shop.example", "pay.shop.example", "l.facebook.com"):
        assert traced(rules, referrer_host=host).group == "Direct"
    assert traced(rules, referrer_host="myshop.example").group == "Referral"


def test_a_tag_counts_even_when_the_referrer_is_excluded() -> None:
    found = traced(referrer_host="www.paypal.com", utm_source="paypal-offers", utm_medium="cpc")
    assert (found.source, found.group) == ("paypal-offers", "Paid Other")


@pytest.mark.parametrize(
    ("click_id", "expected"),
    [
        ("gclid", ("google", "cpc", "Paid Search")),
        ("gbraid", ("google", "cpc", "Paid Search")),
        ("wbraid", ("google", "cpc", "Paid Search")),
        ("msclkid", ("bing", "cpc", "Paid Search")),
        ("dclid", ("doubleclick", "display", "Display")),
        ("fbclid", ("facebook", "referral", "Organic Social")),
        ("ttclid", ("tiktok", "cpc", "Paid Social")),
        ("li_fat_id", ("linkedin", "cpc", "Paid Social")),
        ("twclid", ("twitter", "cpc", "Paid Social")),
        ("sccid", ("snapchat", "cpc", "Paid Social")),
        ("rdt_cid", ("reddit", "cpc", "Paid Social")),
        ("yclid", ("yandex", "cpc", "Paid Search")),
        ("epik", ("pinterest", "referral", "Organic Social")),
        ("igshid", ("instagram", "referral", "Organic Social")),
    ],
)
def test_a_click_id_alone_names_source_and_medium(
    click_id: str, expected: tuple[str, str, str]
) -> None:
    assert expected == told(click_id=click_id)


def test_every_click_id_that_is_looked_for_has_a_meaning() -> None:
    names = RULES_OF_TRAFFIC.click_names
    found = [read_url(f"https://shop.example/?{name}=x", names).click_id for name in names]
    assert found == [*SHIPPED.click_ids]


def test_the_click_id_of_an_ad_wins_over_the_referrer_any_other_does_not() -> None:
    assert told(click_id="gclid", referrer_host="www.google.com")[1] == "cpc"
    assert told(click_id="fbclid", referrer_host="l.instagram.com")[0] == "instagram"
    assert told(click_id="fbclid", referrer_host="blog.example")[0] == "blog.example"


def test_tags_win_over_everything_else() -> None:
    found = told(
        utm_source="crm", utm_medium="email", click_id="gclid", referrer_host="www.google.com"
    )
    assert found == ("crm", "email", "Email")


@pytest.mark.parametrize(
    ("first", "expected"),
    [
        ({"utm_source": "google", "click_id": "gclid"}, ("google", "cpc", "Paid Search")),
        ({"utm_source": "chatgpt.com"}, ("chatgpt", "ai-assistant", "AI Assistant")),
        ({"utm_source": "flyer"}, ("flyer", "(not set)", "Unassigned")),
        ({"utm_source": " Facebook.com "}, ("facebook", "(not set)", "Organic Social")),
        ({"utm_medium": "email"}, ("(not set)", "email", "Email")),
        (
            {"utm_medium": "cpc", "referrer_host": "www.bing.com"},
            ("bing", "cpc", "Paid Search"),
        ),
    ],
)
def test_what_tags_leave_out_is_filled_in(
    first: dict[str, str], expected: tuple[str, str, str]
) -> None:
    assert expected == told(**first)


def test_the_campaign_is_kept_as_written_and_an_assistant_has_one_of_its_own() -> None:
    assert traced(utm_source="crm", utm_campaign="Mai 2026").campaign == "Mai 2026"
    assert traced(referrer_host="claude.ai").campaign == "(ai-assistant)"
    assert traced(referrer_host="www.google.com").campaign == ""


@pytest.mark.parametrize(
    ("channel", "expected"),
    [
        ("website", ("(direct)", "(none)", "Direct")),
        ("shop", ("(direct)", "(none)", "Direct")),
        ("app", ("(direct)", "(none)", "Direct")),
        ("newsletter", ("newsletter", "newsletter", "Newsletter")),
        ("email", ("email", "email", "Email")),
        ("search", ("search", "organic", "Organic Search")),
        ("social", ("social", "social", "Organic Social")),
        ("ads", ("ads", "paid", "Paid Other")),
        ("referral", ("referral", "referral", "Referral")),
        ("store", ("store", "offline", "Unassigned")),
        ("phone", ("phone", "offline", "Unassigned")),
        ("chat", ("chat", "offline", "Unassigned")),
        ("messenger", ("messenger", "offline", "Unassigned")),
        ("catalogue", ("catalogue", "offline", "Unassigned")),
        ("order_card", ("order_card", "offline", "Unassigned")),
        ("delivery", ("delivery", "offline", "Unassigned")),
        ("support", ("support", "offline", "Unassigned")),
        ("review", ("review", "offline", "Unassigned")),
        ("survey", ("survey", "offline", "Unassigned")),
    ],
)
def test_a_session_that_begins_in_another_channel_was_brought_by_it(
    channel: Channel, expected: tuple[str, str, str]
) -> None:
    assert expected == told(channel=channel)


def test_a_tag_tells_more_than_the_channel() -> None:
    found = told(channel="newsletter", utm_source="crm", utm_medium="email")
    assert found == ("crm", "email", "Email")


# --- keyword and brand --------------------------------------------------------------------------

BRANDED = TrafficRules(SHIPPED, brand_terms=("Nordwind", "nord wind"))


@pytest.mark.parametrize(
    ("first", "keyword", "is_branded"),
    [
        (
            {"referrer_host": "www.bing.com", "search_term": "NORDWIND jacke"},
            "NORDWIND jacke",
            True,
        ),
        ({"referrer_host": "www.bing.com", "search_term": "jacke"}, "jacke", False),
        ({"referrer_host": "www.bing.com"}, "", False),
        ({"click_id": "gclid", "utm_term": "nord wind"}, "nord wind", True),
        ({"referrer_host": "blog.example", "search_term": "nordwind"}, "", False),
        ({"utm_source": "crm", "utm_medium": "email", "utm_term": "nordwind"}, "nordwind", False),
        (
            {"referrer_host": "www.bing.com", "search_term": "a", "utm_term": "nordwind"},
            "nordwind",
            True,
        ),
    ],
)
def test_a_search_for_a_brand_term_is_branded(
    first: dict[str, str], keyword: str, is_branded: bool
) -> None:
    found = traced(BRANDED, **first)
    assert (keyword, is_branded) == (found.keyword, found.is_branded)


def test_without_brand_terms_no_search_is_branded() -> None:
    assert not traced(referrer_host="www.bing.com", search_term="anything").is_branded


# --- in the session -----------------------------------------------------------------------------


def groups(life: Life) -> list[str]:
    return [session.channel_group for session in only(Session, life.rows.values())]


def test_a_session_has_the_source_of_its_first_touchpoint_whatever_comes_later() -> None:
    life = Life()
    life.see(seen("a", referrer_host="www.google.com"), seen("b", MINUTE, utm_source="crm"))
    assert groups(life) == ["Organic Search"]


def test_a_late_touchpoint_that_becomes_the_first_changes_the_source() -> None:
    life = Life()
    life.see(seen("b", MINUTE))
    assert groups(life) == ["Direct"]
    life.see(seen("a", utm_source="newsletter", utm_medium="email"))
    assert groups(life) == ["Newsletter"]


def test_a_late_touchpoint_that_joins_two_sessions_takes_the_source_of_the_second_away() -> None:
    life = Life()
    life.see(seen("a", referrer_host="claude.ai"), seen("c", 50 * MINUTE, click_id="gclid"))
    assert groups(life) == ["AI Assistant", "Paid Search"]
    life.see(seen("b", 25 * MINUTE))
    assert groups(life) == ["AI Assistant"]


def test_the_country_of_a_session_is_the_first_that_is_known() -> None:
    life = Life()
    life.see(seen("c", 2, country="DE"), seen("a"), seen("b", 1, country="AT"))
    (session,) = only(Session, life.rows.values())
    assert session.country == "AT"


def test_another_list_or_setting_is_another_rule_version() -> None:
    versions = {
        compile_rules([RULES.models[0].model], traffic=traffic).version
        for traffic in (
            None,
            RULES_OF_TRAFFIC,
            BRANDED,
            TrafficRules(SHIPPED, exclusions=("a.example",)),
        )
    }
    assert len(versions) == 4


def test_a_long_session_keeps_its_source_and_the_next_one_has_its_own() -> None:
    life = Life()
    for minutes in range(0, 180, 20):
        life.see(seen(f"t{minutes:03}", minutes * MINUTE, referrer_host="www.google.com"))
    life.see(seen("next", 5 * HOUR))
    assert groups(life) == ["Organic Search", "Direct"]


@pytest.mark.parametrize("host", ["so.com", "www.so.com", "m.so.com"])
def test_an_exact_host_is_known_with_www_and_m_before_it(host: str) -> None:
    listed = RULES_OF_TRAFFIC.look_up(host)
    assert listed is not None
    assert listed.name == "so-360"


@pytest.mark.parametrize("host", ["mm.so.com", "mso.com"])
def test_an_exact_host_is_known_with_nothing_else_before_it(host: str) -> None:
    assert RULES_OF_TRAFFIC.look_up(host) is None


# --- who brings nobody --------------------------------------------------------------------------


@pytest.mark.parametrize(
    "host",
    [
        *("accounts.google.com", "accounts.google.de", "login.microsoftonline.com"),
        *("www.paypal.com", "checkout.stripe.com", "secure.ogone.com", "api.razorpay.com"),
        *("pay.klarna.com", "login.live.com", "shop.eu.auth0.com"),
    ],
)
def test_who_comes_back_from_a_login_or_a_payment_was_not_brought_by_it(host: str) -> None:
    assert ("(direct)", "(none)", "Direct") == referred(host)


@pytest.mark.parametrize("host", ["0-0.fr", "www.0-0.fr", "007agent-i.fr"])
def test_a_referrer_of_the_list_of_spammers_is_spam(host: str) -> None:
    assert RULES_OF_TRAFFIC.is_spam(host)


@pytest.mark.parametrize("host", ["", "google.com", "fr", "shop.example"])
def test_another_referrer_is_no_spam(host: str) -> None:
    assert not RULES_OF_TRAFFIC.is_spam(host)


def test_a_file_of_sources_adds_spammers(tmp_path: Path) -> None:
    more = tmp_path / "more.toml"
    more.write_text('spammers = ["spam.example"]')
    rules = TrafficRules(load_sources([more]))
    assert rules.is_spam("www.spam.example")
    assert rules.is_spam("0-0.fr")


def test_a_listed_host_is_known_however_its_name_is_written(tmp_path: Path) -> None:
    more = tmp_path / "more.toml"
    more.write_text('[search]\nmueller = ["suche.müller.example"]', encoding="utf-8")
    rules = TrafficRules(load_sources([more]))
    found = traced(rules, referrer_host="suche.xn--mller-kva.example")
    assert (found.source, found.group) == ("mueller", "Organic Search")


@pytest.mark.parametrize("query", ["IRClickId=x", "irclickid=x", "fbclid=y&irclickid=x"])
def test_a_click_id_of_a_sites_own_list_is_found_in_its_pages(tmp_path: Path, query: str) -> None:
    more = tmp_path / "more.toml"
    more.write_text('[click_ids]\nirClickId = { source = "impact", medium = "affiliate" }\n')
    rules = TrafficRules(load_sources([more]))
    url = f"https://shop.example/?{query}"
    expected = "fbclid" if "fbclid" in query else "irclickid"
    assert read_url(url, rules.click_names).click_id == expected
    assert rules.click_ids["irclickid"] == ("impact", "affiliate")
    assert read_url(url, RULES_OF_TRAFFIC.click_names).click_id in {"fbclid", ""}
