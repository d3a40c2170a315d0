"""PURE: the subject of a question of the live page: a site, a span, and filters."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from pipeline.reports.span import Span

SLICES = 36
"""The number of points of a line."""


@dataclass(frozen=True, kw_only=True)
class View(Span):
    """A span of a site under a model; an empty `channel` or `segment` stands for all."""

    model: str = ""
    channel: str = ""
    segment: str = ""

    @property
    def length(self) -> timedelta:
        """The length of the span."""
        return self.end - self.start

    @property
    def before(self) -> "View":
        """The same for the equally long span before."""
        return self.earlier(self.length)

    def earlier(self, by: timedelta) -> "View":
        """The same for an equally long span that ends `by` earlier."""
        return replace(self, start=self.start - by, end=self.end - by)

    def slice_at(self, moment: datetime) -> int:
        """Return the point of a line that `moment` belongs to; one outside belongs to an end."""
        place = (moment - self.start) * SLICES // self.length
        return min(SLICES - 1, max(0, place))

    def asked(self) -> dict[str, Any]:
        """Return the parameters of a question."""
        chosen = {"model": self.model, "channel": self.channel, "segment": self.segment}
        return super().asked() | chosen
