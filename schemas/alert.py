"""An alert of `touchstream watch`, as the table `alerts` keeps it and as it is sent. Floor 1."""

from datetime import datetime

import msgspec


class Explanation(msgspec.Struct, frozen=True):
    """A slice, and its share of the evidence from 0 to 1; both empty: everywhere."""

    dimension: str
    value: str
    share: float


class Alert(msgspec.Struct, frozen=True, kw_only=True):
    """What, where, since when, how sure, how many people, how much money; see docs/tables.md."""

    alert_id: str
    site: str
    kind: str
    step: str
    next_step: str = ""
    severity: str = "page"
    state: str = "firing"
    opened_at: datetime
    since: datetime
    updated_at: datetime
    resolved_at: datetime | None = None
    dimension: str = ""
    value: str = ""
    slices: tuple[Explanation, ...] = ()
    observed: float
    expected: float
    change: float
    certainty: float
    people: int
    money: float = 0.0
    currency: str = ""
    title: str
    link: str = ""
    notes: tuple[str, ...] = ()
    version: int

    @property
    def is_over(self) -> bool:
        """Whether it is resolved."""
        return self.state == "resolved"
