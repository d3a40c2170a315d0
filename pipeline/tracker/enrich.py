"""PURE: what a touchpoint's own fields reveal: page, campaign, referrer, device, bot, order.

URLs and user agents repeat, so the results of parsing are cached. Nothing is looked up elsewhere;
`pipeline.journey.traffic` decides what brought a visit.
"""

import re
from collections.abc import Collection, Mapping
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import SplitResult, parse_qsl, urlsplit

import msgspec
import ua_parser

from pipeline.journey.rules import scalar
from pipeline.journey.state import Evidence, Scalar
from pipeline.tracker.campaign import campaign_in, campaign_told
from pipeline.tracker.commerce import ORDER_EVENTS, ORDER_NAMES, Commerce, read_commerce
from pipeline.tracker.progress import read_progress
from pipeline.tracker.properties import said
from pipeline.tracker.turn import turn
from pipeline.values.crawlers import is_crawler
from pipeline.values.hosts import ascii_host
from pipeline.values.texts import line
from schemas.touchpoint import Enrichment, OrderEvent, Touchpoint

_JOINED = re.compile(r"&amp(?:;|%3B)|[?](?=(?:utm|mtm|pk)_)", re.IGNORECASE)
"""Separators of parameters in links that were escaped in a mail, or concatenated."""
_SEARCH_TERMS = ("q", "query", "p", "wd", "word", "text", "search_query")
"""Search engines' URL parameters for the search term."""
_LONGEST_LABEL = 256


_BRINGS = re.compile(r"\s*(?:(?:https?|android-app|ios-app):)?//", re.IGNORECASE)
"""How the address of a page or an app begins; extensions, mails and files have no host."""


class Page(NamedTuple):
    """The parts of a URL."""

    host: str = ""
    path: str = ""
    utm_source: str = ""
    utm_medium: str = ""
    utm_campaign: str = ""
    utm_term: str = ""
    utm_content: str = ""
    click_id: str = ""
    search_term: str = ""


class Agent(NamedTuple):
    """What a user agent string reveals about the device."""

    device: str = ""
    browser: str = ""
    os: str = ""
    is_bot: bool = False


_properties_by_name = msgspec.json.Decoder(dict[str, msgspec.Raw])


class _Country(msgspec.Struct, gc=False):
    country: object = ""


_country = msgspec.json.Decoder(_Country)
_TWO_LETTERS = re.compile(r"[A-Za-z]{2}")
_REGION = re.compile(r"[-_]([A-Za-z]{2})\b")
_NO_PAGE = Page()
_PAGE_TYPES = frozenset({"page", "screen"})


@lru_cache(maxsize=16_384)
def read_url(url: str, click_ids: tuple[str, ...] = ()) -> Page:
    """Split a URL; campaign parameters and the first of `click_ids` come from its query."""
    try:
        parts = urlsplit(url)
        host = ascii_host(parts.hostname or "")
    except ValueError:
        return Page()
    query = {
        name.lower().removeprefix("amp;"): line(value)[:_LONGEST_LABEL]
        for name, value in parse_qsl(_JOINED.sub("&", _parameters(parts)))
    }
    return Page(
        host,
        parts.path,
        *campaign_in(query),
        next((name for name in click_ids if name in query), ""),
        next((query[name] for name in _SEARCH_TERMS if name in query), ""),
    )


def _parameters(parts: SplitResult) -> str:
    """Give the query, and before it the one behind `#`, where pages with a router have it."""
    behind = parts.fragment.rpartition("?")[2] if "=" in parts.fragment else ""
    return f"{behind}&{parts.query}" if behind else parts.query


@lru_cache(maxsize=16_384)
def read_user_agent(user_agent: str) -> Agent:
    """Name device class, browser and operating system; flag crawlers and headless browsers."""
    if not user_agent:
        return Agent()
    parsed = ua_parser.parse(user_agent)
    browser = parsed.user_agent.family if parsed.user_agent else ""
    system = parsed.os.family if parsed.os else ""
    is_bot = is_crawler(user_agent)
    return Agent("bot" if is_bot else _device(user_agent, system), browser, system, is_bot)


def _device(user_agent: str, system: str) -> str:
    if "iPad" in user_agent or "Tablet" in user_agent:
        return "tablet"
    if system == "Android":  # a browser on a tablet leaves `Mobile` out; an app never says it
        is_tablet = user_agent.startswith("Mozilla/") and "Mobile" not in user_agent
        return "tablet" if is_tablet else "mobile"
    return "mobile" if "Mobi" in user_agent or system == "iOS" else "desktop"


def read_properties(properties: bytes, asked: Collection[str]) -> dict[str, Scalar] | None:
    """Read the properties `asked` for that are a text, a number or a boolean; None without any."""
    try:
        given = _properties_by_name.decode(properties)
        values = {name: msgspec.json.decode(given[name]) for name in asked if name in given}
    except (msgspec.MsgspecError, RecursionError):  # a number that no machine holds, or a bomb
        return None
    found = {name: scalar(v) for name, v in values.items() if isinstance(v, str | int | float)}
    return found or None


class _Mail(msgspec.Struct, gc=False):
    is_machine_open: object = False
    is_machine_click: object = False


_mails = msgspec.json.Decoder(_Mail)
_MAIL_NAMES = frozenset({"Email Opened", "Email Link Clicked"})


def is_by_machine(name: str, properties: str | bytes) -> bool:
    """Tell whether an open or a click was a machine's, according to the collector's note."""
    if name not in _MAIL_NAMES:
        return False
    mail = said(_mails, properties)
    return mail is not None and (mail.is_machine_open is True or mail.is_machine_click is True)


def is_same_site(host: str, other: str) -> bool:
    """Tell whether two hosts are one site: equal except for `www.`, or one below the other."""
    a, b = host.removeprefix("www."), other.removeprefix("www.")
    return a == b or (bool(a and b) and (a.endswith(f".{b}") or b.endswith(f".{a}")))


def read_country(locale: str, properties: str) -> str:
    """Give two letters, or nothing: the property `country`, otherwise the region of the locale.

    The sender may know the country, from its CDN or the delivery address. A locale such as `de-AT`
    says where the browser's language is spoken, which is often, but not always, where its owner is.
    """
    if '"country"' in properties:
        told = said(_country, properties)
        if told and isinstance(told.country, str) and _TWO_LETTERS.fullmatch(told.country):
            return told.country.upper()
    return _read_region(locale) if locale else ""


@lru_cache(maxsize=1024)
def _read_region(locale: str) -> str:
    region = _REGION.search(locale)
    return region[1].upper() if region else ""


def enrich(
    touchpoint: Touchpoint,
    visitor_id: str,
    at: int,
    partition: int,
    offset: int,
    placeholders: Collection[str] = (),
    order_events: Mapping[str, OrderEvent] = ORDER_EVENTS,
    *,
    click_ids: tuple[str, ...] = (),
) -> tuple[Enrichment, Evidence]:
    """Give everything the tracker adds to `touchpoint`, and what the fold needs to know about it.

    `at` is in milliseconds, `offset` in the log; the rest is for `read_commerce` and `read_url`.
    """
    name, properties = touchpoint.name, str(touchpoint.properties, "utf-8")
    page = _with_campaign(read_url(touchpoint.url, click_ids), properties)
    referrer, agent = _referrer(touchpoint.referrer), read_user_agent(touchpoint.user_agent)
    commerce = read_commerce(name, properties, placeholders, order_events)
    evidence = _evidence(touchpoint, at, properties, page, referrer, agent, commerce)
    _list_products(evidence, commerce)
    # Positional arguments: keywords take three times as long. The same goes for the evidence.
    enrichment = Enrichment(
        visitor_id,
        False,  # is_late: steps.py decides
        partition,
        offset,
        page.host,
        page.path,
        referrer.host,
        *page[2:8],  # from `utm_source` to `click_id`
        *agent,
        commerce.order_event,
        commerce.order_id,
        commerce.value if commerce.order_event or name in ORDER_NAMES else 0.0,
        commerce.currency,
        commerce.problem,
        evidence.turn,
    )
    return enrichment, evidence


def _list_products(evidence: Evidence, commerce: Commerce) -> None:
    if commerce.products is not None:
        evidence.products, evidence.is_whole_cart = commerce.products, commerce.is_whole_cart


def _referrer(referrer: str) -> Page:
    return read_url(referrer) if _BRINGS.match(referrer) else _NO_PAGE


def _with_campaign(page: Page, properties: str) -> Page:
    """Add the campaign that the call names itself, if the URL names none."""
    told = None if page.utm_source or page.utm_campaign else campaign_told(properties)
    return Page(*page[:2], *told, *page[7:]) if told else page


def _evidence(
    touchpoint: Touchpoint,
    at: int,
    properties: str,
    page: Page,
    referrer: Page,
    agent: Agent,
    commerce: Commerce,
) -> Evidence:
    name = touchpoint.name
    # A page of the same site is not a source.
    brought_by = _NO_PAGE if is_same_site(referrer.host, page.host) else referrer
    is_arrival = bool(brought_by.host or page.click_id or any(page[2:5]))
    return Evidence(
        at,
        touchpoint.touchpoint_id,
        # Without a name it is not evidence: for no phase and no step of a funnel.
        "" if is_by_machine(name, properties) else name,
        touchpoint.channel,
        touchpoint.type in _PAGE_TYPES,
        page.path,
        brought_by.host,
        *page[2:5],  # `utm_source`, `utm_medium`, `utm_campaign`
        agent.device,
        agent.is_bot,
        commerce.order_id,
        commerce.value,
        commerce.items,
        commerce.currency,
        "",  # visitor_id
        None,  # properties
        commerce.product_id,
        commerce.product_name,
        *read_progress(name, properties),
        page.click_id,
        page.utm_term,
        brought_by.search_term,
        read_country(touchpoint.locale, properties),
        turn(touchpoint.sequence, name, is_arrival=is_arrival, order_event=commerce.order_event),
    )
