"""PURE: what a question of the live page is about: a site, a span, and what narrows it."""

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from pipeline.reports.span import IN_SPAN, Span

SLICES = 36
"""Into how many parts a line divides its time."""

PERSON = "if(i.person_id = '', v.visitor_id, i.person_id)"
"""Who the visitor `v` is now, told apart cheaply; `i` is `IDENTITIES`."""

IDENTITIES = """(
    SELECT visitor_id, person_id FROM identities FINAL WHERE site = {site:String}
)"""


@dataclass(frozen=True, kw_only=True)
class View(Span):
    """A span of a site under a model; an empty `channel` or `segment` stands for all."""

    model: str = ""
    channel: str = ""
    segment: str = ""

    @property
    def length(self) -> timedelta:
        """How long the span is."""
        return self.end - self.start

    @property
    def before(self) -> "View":
        """The same, as long before."""
        return replace(self, start=self.start - self.length, end=self.start)

    def parameters(self) -> dict[str, Any]:
        """Give the values of the parameters of every statement."""
        chosen = {"model": self.model, "channel": self.channel, "segment": self.segment}
        slice_ms = max(1, self.length // timedelta(milliseconds=SLICES))
        return super().parameters() | chosen | {"slice": slice_ms}

    def covers(self, time: str, *, channel: str = "channel", session: str = "session_id") -> str:
        """Give the condition that a row lies in the span, the channel and the segment."""
        return f"{IN_SPAN.format(time=time)}{self.narrows(channel, session)}"

    def narrows(self, channel: str = "channel", session: str = "session_id") -> str:
        """Give the conditions on channel and segment alone, each with an AND before it."""
        parts = ""
        if self.channel and channel:
            parts += f" AND {channel} = {{channel:String}}"
        if self.segment:
            parts += f" AND {session} IN ({_SESSIONS_OF_SEGMENT})"
        return parts


VISITORS_OF_SEGMENT = """
    SELECT visitor_id FROM visitors_of_segment(site = {site:String}, segment = {segment:String})"""

_SESSIONS_OF_SEGMENT = f"""
    SELECT session_id FROM sessions
    WHERE site = {{site:String}} AND visitor_id IN ({VISITORS_OF_SEGMENT})"""  # noqa: S608
