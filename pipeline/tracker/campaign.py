"""PURE: the campaign that brought a visit, from a URL or from the call itself."""

from collections.abc import Mapping
from typing import NamedTuple

import msgspec

from pipeline.tracker.properties import said, word
from pipeline.values.identifiers import is_unfilled

_LONGEST = 256
_MATOMO = ("mtm", "matomo", "pk", "piwik")
_WORDS = {
    "source": ("utm_source", *(f"{prefix}_source" for prefix in _MATOMO)),
    "medium": ("utm_medium", *(f"{prefix}_medium" for prefix in _MATOMO)),
    "name": ("utm_campaign", *(f"{p}_{w}" for p in _MATOMO for w in ("campaign", "cpn"))),
    "term": ("utm_term", *(f"{p}_{w}" for p in _MATOMO for w in ("keyword", "kwd"))),
    "content": ("utm_content", *(f"{prefix}_content" for prefix in _MATOMO)),
}
"""Google's URL parameters, and Matomo's current and old ones; the first that is present counts.
Source: matomo.org/faq/reports/what-is-campaign-tracking-and-why-it-is-important.
"""


class Campaign(NamedTuple):
    """The parameters called `utm_source` and so on."""

    source: str = ""
    medium: str = ""
    name: str = ""
    term: str = ""
    content: str = ""


_NONE = Campaign()


class _Told(msgspec.Struct, gc=False):
    source: object = ""
    medium: object = ""
    name: object = ""
    term: object = ""
    content: object = ""


class _Context(msgspec.Struct, gc=False):
    campaign: _Told | None = None


class _Properties(msgspec.Struct, gc=False):
    context: _Context | None = None


_properties = msgspec.json.Decoder(_Properties)


def campaign_in(query: Mapping[str, str]) -> Campaign:
    """Read a URL's query; what nobody filled in, such as `{{campaign.name}}`, says nothing."""
    told = {name: value for name, value in query.items() if not is_unfilled(value)}
    found = (next(filter(None, map(told.get, words)), "") for words in _WORDS.values())
    return Campaign(*found)


def campaign_told(properties: str) -> Campaign | None:
    """Read `context.campaign`, as Segment's calls have it; None if there is none."""
    if '"campaign":{' not in properties:
        return None
    given = said(_properties, properties)
    told = given.context.campaign if given and given.context else None
    if told is None:
        return None
    words = (word(getattr(told, field), _LONGEST) for field in Campaign._fields)
    found = Campaign(*("" if is_unfilled(each) else each for each in words))
    return None if found == _NONE else found
