"""PURE: the subject of a question of the live page: a site, a span, and filters."""

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from pipeline.reports.span import IN_SPAN, Span

SLICES = 36
"""The number of points of a line."""

PERSON = "if(i.person_id = '', v.visitor_id, i.person_id)"
"""The person that the visitor `v` is now, as an id; `i` is `IDENTITIES`."""

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
        """The length of the span."""
        return self.end - self.start

    @property
    def before(self) -> "View":
        """The same for the equally long span before."""
        return replace(self, start=self.start - self.length, end=self.start)

    def parameters(self) -> dict[str, Any]:
        """Return the values of the parameters of every statement."""
        chosen = {"model": self.model, "channel": self.channel, "segment": self.segment}
        slice_ms = max(1, self.length // timedelta(milliseconds=SLICES))
        return super().parameters() | chosen | {"slice": slice_ms}

    def covers(self, time: str, *, channel: str = "channel", session: str = "session_id") -> str:
        """Write the condition that a row is in the span, the channel and the segment."""
        return f"{IN_SPAN.format(time=time)}{self.narrows(channel, session)}"

    def narrows(self, channel: str = "channel", session: str = "session_id") -> str:
        """Write only the conditions on channel and segment, each with AND in front."""
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
