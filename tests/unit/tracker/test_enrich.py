"""What a touchpoint's own strings tell: page, campaign, referrer, device, bot, order."""

from typing import Any
from urllib.parse import urlencode

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pipeline.journey.rules import scalar
from pipeline.journey.state import Evidence, Line
from pipeline.journey.traffic import TrafficRules, trace
from pipeline.tracker.enrich import (
    Page,
    enrich,
    read_properties,
    read_url,
    read_user_agent,
)
from schemas.codec import Refused, decode_touchpoint, encode_row
from schemas.touchpoint import Enrichment, TouchpointRow, visitor_of
from schemas.traffic import load_sources
from tests.support.journeys import NOON
from tests.support.tracker import touchpoint

CLICK_IDS = TrafficRules(load_sources()).click_names
CAMPAIGN = "utm_source=news&utm_medium=email&utm_campaign=may&utm_term=chair&utm_content=top"


def enriched(**fields: Any) -> tuple[Enrichment, Evidence]:
    read = decode_touchpoint(touchpoint("t", NOON, **fields))
    return enrich(read, "ada", NOON, 3, 7, click_ids=CLICK_IDS)


# --- mails ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "properties", "evidence_of"),
    [
        ("Email Opened", {}, "Email Opened"),
        ("Email Opened", {"is_machine_open": True}, ""),
        ("Email Opened", {"is_machine_open": False}, "Email Opened"),
        ("Email Opened", {"context": {"is_machine_open": True}}, "Email Opened"),
        ("Email Link Clicked", {"is_machine_click": True}, ""),
        ("Product Viewed", {"is_machine_open": True}, "Product Viewed"),
    ],
)
def test_what_a_machine_did_with_a_mail_is_evidence_for_nothing(
    name: str, properties: dict[str, Any], evidence_of: str
) -> None:
    assert evidence_of == enriched(name=name, properties=properties)[1].name


# --- what nobody filled in -----------------------------------------------------------------------

UNFILLED = ["undefined", "null", "(not set)", "(direct)", "{{ad.name}}", "{campaignid}", "%%SRC%%"]


@pytest.mark.parametrize("nothing", UNFILLED)
def test_a_campaign_that_nobody_filled_in_is_none(nothing: str) -> None:
    told = dict.fromkeys(("source", "medium", "name", "term", "content"), nothing)
    query = urlencode({f"utm_{name}": nothing for name in ("source", "medium", "campaign")})
    by_url, _ = enriched(url=f"https://shop.example/?{query}&gclid=1")
    by_call, seen = enriched(properties={"context": {"campaign": told}})
    for found in (by_url, by_call):
        assert ("", "", "") == (found.utm_source, found.utm_medium, found.utm_campaign)
    assert trace(seen, TrafficRules()).source == "(direct)"


def test_a_campaign_may_be_called_by_a_number() -> None:
    page = read_url("https://shop.example/?utm_source=0&utm_content=default&utm_campaign=-1")
    assert ("0", "-1", "default") == (page.utm_source, page.utm_campaign, page.utm_content)


@pytest.mark.parametrize(
    "behind", ["?amp;utm_source=x", "?a=1&amp%3Butm_source=x", "#/?utm_source=x", "#utm_source=x"]
)
def test_a_campaign_is_found_where_links_lose_it(behind: str) -> None:
    assert "x" == read_url(f"https://shop.example/chairs{behind}").utm_source


# --- page and campaign --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "page"),
    [
        ("", Page()),
        ("https://shop.example", Page("shop.example")),
        ("https://Shop.Example/Chairs/Oak", Page("shop.example", "/Chairs/Oak")),
        ("https://shop.example:8443/a#top", Page("shop.example", "/a")),
        ("https://ada:pw@shop.example/a", Page("shop.example", "/a")),
        ("https://[2001:db8::1]/a", Page("2001:db8::1", "/a")),
        ("//shop.example/a", Page("shop.example", "/a")),
        ("/a?utm_source=news", Page("", "/a", utm_source="news")),
        ("https://shop.example/größe", Page("shop.example", "/größe")),
        ("https://shop.example/a?page=2", Page("shop.example", "/a")),
        (
            f"https://s.example/?{CAMPAIGN}",
            Page("s.example", "/", "news", "email", "may", "chair", "top"),
        ),
        ("/?utm_source=a%20b+c%C3%BC", Page("", "/", "a b cü")),
        ("/?utm_source=", Page("", "/")),
        ("/?utm_source=first&utm_source=last", Page("", "/", "last")),
        ("/?UTM_SOURCE=news&Gclid=x", Page("", "/", "news", click_id="gclid")),
        ("/?a=1&amp;utm_source=news&amp;utm_medium=mail", Page("", "/", "news", "mail")),
        ("/?id=7?utm_source=news", Page("", "/", "news")),
        ("https://MÜLLER.example/a", Page("xn--mller-kva.example", "/a")),
        ("https://xn--mller-kva.example/a", Page("xn--mller-kva.example", "/a")),
        ("https://straße.example./", Page("xn--strae-oqa.example", "/")),
        ("https://[::1/a", Page()),
        ("http://shop\u2100.example/", Page()),
        ("mailto:ada@example.org", Page("", "ada@example.org")),
    ],
)
def test_a_url_tells_host_path_and_campaign(url: str, page: Page) -> None:
    assert read_url(url, CLICK_IDS) == page


@pytest.mark.parametrize(
    ("query", "click_id"),
    [
        ("gclid=x", "gclid"),
        ("fbclid=x&gclid=y", "gclid"),
        ("li_fat_id=x&page=2", "li_fat_id"),
        ("gclid=", ""),
        ("page=gclid", ""),
    ],
)
def test_the_kind_of_an_ad_click_id_is_kept_but_not_the_id(query: str, click_id: str) -> None:
    assert read_url(f"https://shop.example/?{query}", CLICK_IDS).click_id == click_id


def test_a_campaign_label_is_cut_to_what_its_column_holds() -> None:
    assert read_url("/?utm_campaign=" + "x" * 300).utm_campaign == "x" * 256


@pytest.mark.parametrize(
    "words",
    [
        ("mtm_source", "mtm_medium", "mtm_campaign", "mtm_kwd", "mtm_content"),
        ("mtm_source", "mtm_medium", "mtm_cpn", "mtm_keyword", "mtm_content"),
        ("pk_source", "pk_medium", "pk_campaign", "pk_kwd", "pk_content"),
        ("piwik_source", "piwik_medium", "piwik_cpn", "piwik_keyword", "piwik_content"),
    ],
)
def test_a_campaign_is_known_by_matomos_words_too(words: tuple[str, ...]) -> None:
    told = ("news", "email", "may", "chair", "top")
    query = "&".join(f"{word}={value}" for word, value in zip(words, told, strict=True))
    assert told == read_url(f"https://shop.example/?{query}")[2:7]


@pytest.mark.parametrize(
    ("url", "properties", "expected"),
    [
        ("/", {"context": {"campaign": {"source": "news", "name": "may"}}}, ("news", "", "may")),
        ("/?utm_source=ad", {"context": {"campaign": {"source": "news"}}}, ("ad", "", "")),
        ("/", {"context": {"campaign": {"source": 7, "medium": {}}}}, ("7", "", "")),
        ("/", {"context": {"campaign": "may"}}, ("", "", "")),
        ("/", {"campaign": {"source": "news"}}, ("", "", "")),
        ("/", {"context": {"campaign": {"source": "x" * 999}}}, ("x" * 256, "", "")),
        ("/?utm_medium=ad", {"context": {"campaign": {}}}, ("", "ad", "")),
        ("/?utm_medium=ad", {"context": {"campaign": {"id": "may"}}}, ("", "ad", "")),
    ],
)
def test_a_campaign_that_the_call_names_counts_if_the_url_names_none(
    url: str, properties: dict[str, Any], expected: tuple[str, ...]
) -> None:
    enrichment, evidence = enriched(url=url, properties=properties)
    row = enrichment.utm_source, enrichment.utm_medium, enrichment.utm_campaign
    assert expected == row == (evidence.utm_source, evidence.utm_medium, evidence.utm_campaign)


def test_a_campaign_that_the_call_names_leaves_the_click_id() -> None:
    told = {"context": {"campaign": {"source": "news"}}}
    enrichment, evidence = enriched(url="/?gclid=1", properties=told)
    assert (enrichment.utm_source, enrichment.click_id, evidence.click_id) == (
        *("news", "gclid", "gclid"),
    )


@pytest.mark.parametrize(
    "came_by",
    [
        {"referrer": "https://google.com/"},
        {"url": "https://shop.example/?gclid=1"},
        {"url": "https://shop.example/?utm_source=news"},
        {"url": "https://shop.example/?utm_medium=email"},
        {"url": "https://shop.example/?utm_campaign=may"},
    ],
)
def test_who_arrives_by_something_was_there_before_who_is_there_already(
    came_by: dict[str, str],
) -> None:
    page = {"url": "https://shop.example/", "referrer": "https://shop.example/"}
    assert enriched(**page | came_by)[1].turn < enriched(**page)[1].turn


def test_the_referrers_host_is_read_like_a_pages() -> None:
    enrichment, evidence = enriched(referrer="https://Search.Example/q?utm_source=x")
    assert (enrichment.referrer_host, evidence.referrer_host) == ("search.example",) * 2
    assert enrichment.utm_source == ""


def test_without_a_referrer_there_is_no_host() -> None:
    assert enriched()[0].referrer_host == ""


# --- device and bot -----------------------------------------------------------------------------

WEBKIT = "AppleWebKit/537.36 (KHTML, like Gecko)"
CHROME = f"{WEBKIT} Chrome/131.0.0.0"
SAFARI = "AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.4 Mobile/15E148 Safari/604.1"


@pytest.mark.parametrize(
    ("user_agent", "told"),
    [
        ("", ("", "", "")),
        (
            f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) {CHROME} Safari/537.36",
            ("desktop", "Chrome", "Windows"),
        ),
        (
            "Mozilla/5.0 (X11; Linux x86_64; rv:133.0) Gecko/20100101 Firefox/133.0",
            ("desktop", "Firefox", "Linux"),
        ),
        (
            f"Mozilla/5.0 (iPhone; CPU iPhone OS 17_4 like Mac OS X) {SAFARI}",
            ("mobile", "Mobile Safari", "iOS"),
        ),
        (
            f"Mozilla/5.0 (iPad; CPU OS 17_4 like Mac OS X) {SAFARI}",
            ("tablet", "Mobile Safari", "iOS"),
        ),
        (
            f"Mozilla/5.0 (Linux; Android 14; Pixel 8) {CHROME} Mobile Safari/537.36",
            ("mobile", "Chrome Mobile", "Android"),
        ),
        (
            f"Mozilla/5.0 (Linux; Android 14; SM-X910) {CHROME} Safari/537.36",
            ("tablet", "Chrome", "Android"),
        ),
        ("nonsense", ("desktop", "", "")),
    ],
)
def test_a_user_agent_tells_device_browser_and_system(
    user_agent: str, told: tuple[str, str, str]
) -> None:
    agent = read_user_agent(user_agent)
    assert (agent.device, agent.browser, agent.os) == told
    assert not agent.is_bot


@pytest.mark.parametrize(
    "user_agent",
    [
        "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
        f"Mozilla/5.0 (X11; Linux x86_64) {WEBKIT} HeadlessChrome/131.0.0.0 Safari/537.36",
        f"Mozilla/5.0 {WEBKIT}; compatible; GPTBot/1.2; +https://openai.com/gptbot",
        "curl/8.5.0",
    ],
)
def test_crawlers_and_headless_browsers_are_flagged(user_agent: str) -> None:
    enrichment, evidence = enriched(user_agent=user_agent)
    assert (enrichment.device, enrichment.is_bot, evidence.is_bot) == ("bot", True, True)


@pytest.mark.parametrize(
    ("user_agent", "device"),
    [
        ("Dalvik/2.1.0 (Linux; U; Android 13; SM-G991B Build/TP1A.220624.014)", "mobile"),
        (
            "Mozilla/5.0 (Linux; Android 14; SM-X700) Chrome/140 Safari/537.36",
            "tablet",
        ),
        (
            "Mozilla/5.0 (Linux; Android 14) Chrome/140 Mobile Safari/537.36",
            "mobile",
        ),
    ],
)
def test_an_app_of_android_is_on_a_phone_as_far_as_it_tells(user_agent: str, device: str) -> None:
    assert read_user_agent(user_agent).device == device


@pytest.mark.parametrize(
    "user_agent",
    [
        "Shop/7 CFNetwork/1410.0.3 Darwin/22.6.0",
        "Mozilla/5.0 (Mobile; Nokia 2720; rv:48.0) Gecko/48.0 KAIOS/2.5",
    ],
)
def test_other_phones_are_told_by_their_system_or_by_their_word_for_it(user_agent: str) -> None:
    assert read_user_agent(user_agent).device == "mobile"


# --- what the fold hears ------------------------------------------------------------------------


def test_the_fold_hears_of_product_form_and_step() -> None:
    lamp = {"product_id": "p-1", "name": "Lamp", "price": 9.5, "currency": "EUR"}
    seen = enriched(name="Product Viewed", properties=lamp)[1]
    assert (seen.product_id, seen.product_name, seen.value) == ("p-1", "Lamp", 9.5)
    seen = enriched(name="Form Left", properties={"form": "contact", "field": "phone"})[1]
    assert (seen.form, seen.step) == ("contact", "contact.phone")


def test_the_fold_hears_of_all_products_and_whether_they_are_the_whole_cart() -> None:
    lamps = {"products": [{"product_id": "p-1", "price": 9.5, "quantity": 2}]}
    for name, is_whole in (("Cart Viewed", True), ("Product Added", False)):
        seen = enriched(name=name, properties=lamps)[1]
        assert (seen.products, seen.is_whole_cart) == ([Line("p-1", "", 2, 19.0)], is_whole)


def test_only_an_order_has_revenue_and_an_order_id() -> None:
    order, _ = enriched(name="Order Completed", properties={"order_id": "o-1", "revenue": 9.5})
    product, evidence = enriched(name="Product Added", properties={"order_id": "o-1", "price": 9.5})
    assert (order.order_id, order.revenue) == ("o-1", 9.5)
    assert (product.order_id, product.revenue, evidence.value) == ("", 0.0, 9.5)


# --- where it comes from ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("referrer", "host", "term"),
    [
        ("", "", ""),
        ("https://www.bing.com/search?q=oak+chair", "www.bing.com", "oak chair"),
        ("https://www.baidu.com/s?wd=chair", "www.baidu.com", "chair"),
        ("https://www.bing.com/?page=2", "www.bing.com", ""),
        ("https://www.shop.example/search?q=chair", "", ""),
        ("https://shop.example/", "", ""),
        ("https://pay.shop.example/thanks", "", ""),
        ("https://example/", "", ""),
        ("https://myshop.example/", "myshop.example", ""),
        ("android-app://com.google.android.gm/", "com.google.android.gm", ""),
        ("//www.bing.com/", "www.bing.com", ""),
        ("HTTPS://www.bing.com/", "www.bing.com", ""),
        *(
            (each, "", "")
            for each in ("chrome-extension://abc/", "message://%3c1@x%3e", "a://open")
        ),
    ],
)
def test_a_referrer_of_another_site_is_what_brought_somebody(
    referrer: str, host: str, term: str
) -> None:
    _, evidence = enriched(url="https://www.shop.example/chairs", referrer=referrer)
    assert (evidence.referrer_host, evidence.search_term) == (host, term)


def test_the_row_keeps_the_referrer_of_the_same_site_and_no_search_of_the_page_itself() -> None:
    enrichment, evidence = enriched(
        url="https://shop.example/?q=chair", referrer="https://shop.example/cart"
    )
    assert (enrichment.referrer_host, evidence.referrer_host) == ("shop.example", "")
    assert evidence.search_term == ""


def test_without_an_url_every_referrer_is_of_another_site() -> None:
    assert enriched(referrer="https://shop.example/")[1].referrer_host == "shop.example"


@pytest.mark.parametrize(
    ("locale", "properties", "country"),
    [
        ("", {}, ""),
        ("de", {}, ""),
        ("de-AT", {}, "AT"),
        ("de_ch", {}, "CH"),
        ("zh-Hant-TW", {}, "TW"),
        ("es-419", {}, ""),
        ("de-AT", {"country": "fr"}, "FR"),
        ("de-AT", {"country": "France"}, "AT"),
        ("de-AT", {"country": 49}, "AT"),
        ("", {"to": {"country": "FR"}}, ""),
    ],
)
def test_a_country_is_what_the_sender_says_else_the_region_of_the_locale(
    locale: str, properties: dict[str, Any], country: str
) -> None:
    assert enriched(locale=locale, properties=properties)[1].country == country


# --- all together -------------------------------------------------------------------------------


def test_evidence_and_row_say_the_same() -> None:
    enrichment, evidence = enriched(
        type="page",
        name="Order Completed",
        channel="shop",
        user_id="7",
        url=f"https://shop.example/thanks?{CAMPAIGN}",
        properties={"order_id": "o-1", "revenue": 9.5, "currency": "EUR"},
    )
    assert evidence == Evidence(
        at=NOON,
        id="t",
        name="Order Completed",
        channel="shop",
        is_page=True,
        path="/thanks",
        utm_source="news",
        utm_medium="email",
        utm_campaign="may",
        order_id="o-1",
        value=9.5,
        items=1,
        currency="EUR",
        utm_term="chair",
        turn=17,
    )
    assert (enrichment.path, enrichment.utm_term, enrichment.revenue) == ("/thanks", "chair", 9.5)
    assert (enrichment.visitor_id, enrichment.is_late) == ("ada", False)
    assert (enrichment.kafka_partition, enrichment.kafka_offset) == (3, 7)


def test_everything_stands_in_its_place() -> None:
    enrichment, evidence = enriched(
        type="page",
        name="Order Completed",
        channel="shop",
        url=f"https://shop.example/thanks?{CAMPAIGN}&gclid=1",
        referrer="https://www.bing.com/search?q=oak",
        user_agent=f"Mozilla/5.0 (iPhone; CPU iPhone OS 17_4 like Mac OS X) {SAFARI}",
        locale="de-AT",
        properties={"order_id": "o-1", "revenue": 9.5, "quantity": 2, "currency": "EUR"}
        | {"product_id": "p-1", "name": "Lamp"},
    )
    assert enrichment == Enrichment(
        visitor_id="ada",
        is_late=False,
        kafka_partition=3,
        kafka_offset=7,
        host="shop.example",
        path="/thanks",
        referrer_host="www.bing.com",
        utm_source="news",
        utm_medium="email",
        utm_campaign="may",
        utm_term="chair",
        utm_content="top",
        click_id="gclid",
        device="mobile",
        browser="Mobile Safari",
        os="iOS",
        order_event="completed",
        order_id="o-1",
        revenue=9.5,
        currency="EUR",
        turn=17,
    )
    assert evidence == Evidence(
        at=NOON,
        id="t",
        name="Order Completed",
        channel="shop",
        is_page=True,
        path="/thanks",
        referrer_host="www.bing.com",
        utm_source="news",
        utm_medium="email",
        utm_campaign="may",
        device="mobile",
        order_id="o-1",
        value=9.5,
        items=2,
        currency="EUR",
        product_id="p-1",
        product_name="Lamp",
        click_id="gclid",
        utm_term="chair",
        search_term="oak",
        country="AT",
        turn=17,
    )


@pytest.mark.parametrize(
    ("type_", "is_page"), [("page", True), ("screen", True), ("track", False), ("identify", False)]
)
def test_pages_and_screens_count_as_page_views(type_: str, is_page: bool) -> None:
    assert enriched(type=type_)[1].is_page is is_page


texts = st.text(max_size=40)
urls = texts | st.builds(
    lambda host, path, query: f"https://{host}/{path}?utm_source={query}&{query}={path}",
    texts,
    texts,
    texts,
)
amounts = st.none() | st.booleans() | st.integers() | st.floats() | texts | st.lists(st.floats())


@given(
    st.fixed_dictionaries(
        {
            "name": st.sampled_from(("Product Added", "Order Completed", "Page Viewed")),
            "properties": st.dictionaries(
                st.sampled_from(
                    ("price", "quantity", "revenue", "total", "value", "order_id", "currency")
                ),
                amounts,
            ),
        },
        optional={
            "url": urls,
            "referrer": urls,
            "user_agent": texts | st.text("Mozilla/5.0 (compatible;)0aX", max_size=200),
            "anonymous_id": st.text(max_size=130),
            "user_id": st.text(max_size=130),
        },
    )
)
@example({"user_id": "x" * 128})
@example({"anonymous_id": "x" * 128})
def test_whatever_the_codec_accepts_becomes_a_row_that_keeps_its_contract(
    fields: dict[str, Any],
) -> None:
    try:
        accepted = decode_touchpoint(touchpoint("t", NOON, **fields))
    except Refused:
        return
    visitor_id = visitor_of(accepted.anonymous_id, accepted.user_id)
    enrichment, evidence = enrich(accepted, visitor_id, NOON, 0, 0)
    row = msgspec.json.decode(encode_row(accepted, enrichment), type=TouchpointRow)
    assert (row.visitor_id, row.path, row.order_id) == (
        visitor_id,
        evidence.path,
        evidence.order_id,
    )


printable = texts.map(lambda text: "".join(filter(str.isprintable, text)))


@given(st.lists(printable, min_size=2))
def test_a_row_is_the_same_whatever_was_written_into_its_buffer_before(titles: list[str]) -> None:
    buffer = bytearray()
    for title in titles:
        read = decode_touchpoint(touchpoint("t", NOON, title=title))
        enrichment, _ = enrich(read, "ada", NOON, 0, 0)
        assert encode_row(read, enrichment, buffer) == encode_row(read, enrichment)


# --- properties that rules ask for ---------------------------------------------------------------


def test_only_the_properties_asked_for_are_read() -> None:
    properties = b'{"step": "payment", "score": 9, "is_gift": true, "note": "private"}'
    assert read_properties(properties, {"step", "score", "is_gift", "absent"}) == {
        "step": "payment",
        "score": 9.0,
        "is_gift": "true",
    }


def test_a_long_text_is_cut_off_for_the_rules() -> None:
    assert read_properties(b'{"a": "' + b"x" * 5000 + b'"}', {"a"}) == {"a": "x" * 128}


@pytest.mark.parametrize(
    "properties",
    [b"{}", b'{"a": null}', b'{"a": [1]}', b'{"a": {"b": 1}}', b'{"a": 1e999}', b'{"b": 1}'],
)
def test_what_rules_cannot_compare_is_not_there(properties: bytes) -> None:
    assert read_properties(properties, {"a"}) is None


@given(st.text() | st.floats() | st.integers() | st.booleans())
def test_a_value_for_the_rules_is_short_whatever_was_sent(value: str | float) -> None:
    found = scalar(value)
    assert len(str(found)) <= 128
    assert found == scalar(found)
