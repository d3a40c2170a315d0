"""PURE: the address of the page and of the API, which says what is shown."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from pipeline.reports.live.view import View
from schemas.fields import SITE

SPANS = {
    "1h": timedelta(hours=1),
    "3h": timedelta(hours=3),
    "24h": timedelta(hours=24),
    "7d": timedelta(days=7),
    "28d": timedelta(days=28),
    "90d": timedelta(days=90),
}
"""Spans that end now."""

NAMES = ("site", "model", "channel", "segment", "span", "from", "to")
_SITE = re.compile(SITE)
_LONGEST = 200
_LONGEST_SPAN = timedelta(days=3660)


class BadAddress(ValueError):
    """An address that names nothing to show; the text says what to write."""


@dataclass(frozen=True, kw_only=True)
class Address:
    """A site, its filters, and a span: one that ends now, or from `start` up to, without, `end`."""

    site: str
    model: str
    span: str = "1h"
    channel: str = ""
    segment: str = ""
    start: datetime | None = None
    end: datetime | None = None

    @property
    def is_live(self) -> bool:
        """Whether the span ends now."""
        return self.end is None

    def at(self, now: datetime) -> View:
        """Return the view that the address means at the time `now`."""
        end = self.end or now
        start = self.start or end - SPANS[self.span]
        return View(
            site=self.site,
            start=start,
            end=end,
            model=self.model,
            channel=self.channel,
            segment=self.segment,
        )


def read_address(said: Mapping[str, str], site: str, models: Collection[str]) -> Address:
    """Read the parameters of an address; `site` and the first of `models` are the defaults.

    Raises:
        BadAddress: no name of a site, an unknown model or span, an invalid time, or a text that is
            too long.
    """
    for name in NAMES:
        if len(said.get(name, "")) > _LONGEST:
            raise BadAddress(f"{name} has more than {_LONGEST} characters")
    chosen = said.get("site") or site
    if chosen and not _SITE.fullmatch(chosen):
        raise BadAddress(
            f"{chosen!r} is no site: a site has small letters, digits, dots and dashes"
        )
    model = said.get("model") or next(iter(models))
    if model not in models:
        raise BadAddress(f"there is no model {model!r}; choose one of {', '.join(models)}")
    span = said.get("span") or "1h"
    if span not in SPANS:
        raise BadAddress(
            f"there is no span {span!r}; choose one of {', '.join(SPANS)}, or give from and to"
        )
    start, end = _own(said) if said.get("from") or said.get("to") else (None, None)
    return Address(
        site=chosen,
        model=model,
        span=span,
        channel=said.get("channel", ""),
        segment=said.get("segment", ""),
        start=start,
        end=end,
    )


def _own(said: Mapping[str, str]) -> tuple[datetime, datetime]:
    times = _time("from", said.get("from", "")), _time("to", said.get("to", ""))
    if not timedelta(0) < times[1] - times[0] <= _LONGEST_SPAN:
        raise BadAddress(f"from must be before to, by at most {_LONGEST_SPAN.days:,} days")
    return times


def _time(name: str, text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise BadAddress(f"{name} is not a time: write it as 2026-02-23T14:00Z") from error
