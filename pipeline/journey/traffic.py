"""PURE: what brought a visit, according to the first touchpoint of its session.

*Channel* is where a touchpoint happened; *traffic source* is what brought the visit. Source, medium
and campaign come from the first of these that has a value: campaign parameters, the click id of an
ad, the channel in which the session begins, the referrer, any other click id. Otherwise the visit
is direct.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import NamedTuple

from pipeline.journey.state import Evidence, Traffic
from pipeline.values.hosts import ascii_host
from schemas import traffic
from schemas.traffic import KINDS, Kind, TrafficSources


class Origin(NamedTuple):
    """Who brought a visit, and how."""

    source: str
    medium: str


DIRECT = Origin("(direct)", "(none)")
NOT_SET = "(not set)"
AI_MEDIUM, AI_CAMPAIGN = "ai-assistant", "(ai-assistant)"
_NOT_AN_AD = "referral"
_MEDIUM_OF: dict[Kind, str] = {"search": "organic", "ai": AI_MEDIUM, "mail": "email"}
_ENDING = re.compile(r"\.(?:(?:co|com|org|net|gov|edu)\.[a-z]{2}|[a-z]{2,})$")


class Visit(NamedTuple):
    """What the rules of the channel groups look at, in lower case; `kind` is that of the source."""

    source: str
    medium: str
    campaign: str = ""
    kind: Kind | None = None


class Listed(NamedTuple):
    """A source of the list."""

    name: str
    kind: Kind


_PAID = re.compile(r".*cp.*|ppc|retargeting|paid.*")
_SHOPPING_CAMPAIGN = re.compile(r".*(([^a-df-z]|^)shop|shopping).*")
_DISPLAY = frozenset({"display", "banner", "expandable", "interstitial", "cpm"})
_SOCIAL = frozenset(
    {"social", "social-network", "social-media", "sm", "social network", "social media"}
)
_EMAIL = frozenset({"email", "e-mail", "e_mail", "e mail"})


def _is_paid(visit: Visit) -> bool:
    return _PAID.fullmatch(visit.medium) is not None


def _is_shopping(visit: Visit) -> bool:
    return visit.kind == "shopping" or _SHOPPING_CAMPAIGN.fullmatch(visit.campaign) is not None


def _is_push(visit: Visit) -> bool:
    medium = visit.medium
    return (
        medium.endswith("push")
        or "mobile" in medium
        or "notification" in medium
        or visit.source == "firebase"
    )


GROUPS: tuple[tuple[str, Callable[[Visit], bool]], ...] = (
    ("Direct", lambda v: v.source == DIRECT.source and v.medium in (NOT_SET, DIRECT.medium)),
    ("Cross-network", lambda v: "cross-network" in v.campaign),
    ("Paid Shopping", lambda v: _is_shopping(v) and _is_paid(v)),
    ("Paid Search", lambda v: v.kind == "search" and _is_paid(v)),
    ("Paid Social", lambda v: v.kind == "social" and _is_paid(v)),
    ("Paid Video", lambda v: v.kind == "video" and _is_paid(v)),
    ("Display", lambda v: v.medium in _DISPLAY),
    ("Paid Other", _is_paid),
    ("Organic Shopping", _is_shopping),
    ("Organic Social", lambda v: v.kind == "social" or v.medium in _SOCIAL),
    ("Organic Video", lambda v: v.kind == "video" or "video" in v.medium),
    ("Organic Search", lambda v: v.kind == "search" or v.medium == "organic"),
    ("Referral", lambda v: v.medium in ("referral", "app", "link")),
    # Our own group; Google has none. It comes before Email, which would match it, and after every
    # rule that Google checks before Email.
    ("Newsletter", lambda v: "newsletter" in v.source or "newsletter" in v.medium),
    ("Email", lambda v: v.source in _EMAIL or v.medium in _EMAIL),
    ("Affiliates", lambda v: v.medium == "affiliate"),
    ("Audio", lambda v: v.medium == "audio"),
    ("SMS", lambda v: "sms" in (v.source, v.medium)),
    ("Mobile Push Notifications", _is_push),
    ("AI Assistant", lambda v: v.kind == "ai" or v.medium == AI_MEDIUM),
)
"""Google Analytics' default channel group, in its order; the first matching rule wins. Source:
support.google.com/analytics/answer/9756891, with AI Assistant as of May 2026.
"""

_SEARCH_GROUPS = ("Paid Search", "Organic Search")


def channel_group(visit: Visit) -> str:
    """Name the channel group of a visit; Unassigned if no rule holds."""
    return next((name for name, holds in GROUPS if holds(visit)), "Unassigned")


@dataclass(frozen=True, eq=False)
class TrafficRules:
    """The list of sources, compiled for look-up, and the additions of an installation.

    `exclusions` are further hosts that are no source, with their subdomains; `brand_terms` make
    a search a branded one.
    """

    sources: TrafficSources = field(default_factory=TrafficSources)
    exclusions: tuple[str, ...] = ()
    brand_terms: tuple[str, ...] = ()

    @cached_property
    def spellings(self) -> dict[str, Listed]:
        """Every spelling in the list, and the excluded hosts."""
        spellings = {
            ascii_host(spelling) if "." in spelling else spelling: Listed(name, kind)
            for kind in KINDS
            for name, others in self.sources.entries(kind).items()
            for spelling in (name, *others)
        }
        for host in self.exclusions:
            own = ascii_host(host).removeprefix("*.")
            spellings[own] = spellings[f"*.{own}"] = Listed(own, "excluded")
        return spellings

    @cached_property
    def spammers(self) -> frozenset[str]:
        """Hosts that send fake visits to be seen in reports."""
        return frozenset(map(ascii_host, self.sources.spammers))

    @cached_property
    def click_ids(self) -> dict[str, Origin]:
        """What the click ids of advertisers mean, by parameter in lower case."""
        return {id_.lower(): _origin(origin) for id_, origin in self.sources.click_ids.items()}

    @cached_property
    def click_names(self) -> tuple[str, ...]:
        """The parameters that are click ids; of several in one URL the first counts."""
        return tuple(self.click_ids)

    @cached_property
    def channels(self) -> dict[str, Origin]:
        """What a channel other than the web means, by channel."""
        return {channel: _origin(origin) for channel, origin in self.sources.channels.items()}

    def is_spam(self, host: str) -> bool:
        """Tell whether `host`, or a host above it, sends fake visits."""
        while host:
            if host in self.spammers:
                return True
            host = host.partition(".")[2]
        return False

    def look_up(self, source: str) -> Listed | None:
        """Find a host, or a spelling without a dot, in the list."""
        spellings = self.spellings
        host = source.removeprefix("www.").removeprefix("m.")
        found = (
            spellings.get(source) or spellings.get(host) or spellings.get(_ENDING.sub(".*", host))
        )
        while found is None and host:
            found = spellings.get(f"*.{host}")
            host = host.partition(".")[2]
        return found


class _Entry(NamedTuple):
    channel: str
    referrer_host: str
    utm_source: str
    utm_medium: str
    utm_campaign: str
    utm_term: str
    click_id: str
    search_term: str


def trace(seen: Evidence, rules: TrafficRules) -> Traffic:
    """Give the source of the session whose first touchpoint is `seen`."""
    entry = _Entry(
        seen.channel,
        seen.referrer_host,
        seen.utm_source,
        seen.utm_medium,
        seen.utm_campaign,
        seen.utm_term,
        seen.click_id,
        seen.search_term,
    )
    return _trace(entry, rules)


# Sources repeat, and the rules take some microseconds.
@lru_cache(maxsize=4096)
def _trace(seen: _Entry, rules: TrafficRules) -> Traffic:
    origin = _tagged(seen, rules) if seen.utm_source else _untagged(seen, rules)
    source, medium = origin.source, origin.medium
    campaign = seen.utm_campaign or (AI_CAMPAIGN if medium == AI_MEDIUM else "")
    listed = rules.look_up(source)
    kind = listed.kind if listed else None
    group = channel_group(Visit(source, medium, campaign.lower(), kind))
    keyword = seen.utm_term or (seen.search_term if kind == "search" else "")
    is_branded = group in _SEARCH_GROUPS and _has_brand(keyword, rules)
    return Traffic(source, medium, campaign, group, keyword, is_branded)


def _tagged(seen: _Entry, rules: TrafficRules) -> Origin:
    source = seen.utm_source.strip().lower()
    listed = rules.look_up(source)
    clicked = rules.click_ids.get(seen.click_id)
    medium = seen.utm_medium.strip().lower()
    if not medium and clicked:
        medium = clicked.medium
    if not medium:
        medium = AI_MEDIUM if listed and listed.kind == "ai" else NOT_SET
    return Origin(listed.name if listed else source, medium)


def _untagged(seen: _Entry, rules: TrafficRules) -> Origin:
    clicked = rules.click_ids.get(seen.click_id)
    is_ad = clicked is not None and clicked.medium != _NOT_AN_AD
    origin = (
        (clicked if is_ad else None)
        or rules.channels.get(seen.channel)
        or _referred(seen.referrer_host, rules)
        or clicked
        or DIRECT
    )
    medium = seen.utm_medium.strip().lower()
    if not medium:
        return origin
    return Origin(NOT_SET if origin is DIRECT else origin.source, medium)


def _referred(host: str, rules: TrafficRules) -> Origin | None:
    listed = rules.look_up(host) if host else None
    if not host or (listed and listed.kind == "excluded"):
        return None
    if listed is None:
        return Origin(host, "referral")
    return Origin(listed.name, _MEDIUM_OF.get(listed.kind, "referral"))


def _origin(written: traffic.Origin) -> Origin:
    return Origin(written.source, written.medium)


def _has_brand(keyword: str, rules: TrafficRules) -> bool:
    said = keyword.casefold()
    return any(term.casefold() in said for term in rules.brand_terms)
