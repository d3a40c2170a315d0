"""What `touchstream watch` has found: alerts that fire, and alerts that ended since yesterday."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from clickhouse_connect.driver.client import Client

from pipeline.reports.live.asking import rows_of
from pipeline.reports.live.view import View


@dataclass(frozen=True, kw_only=True)
class Alert:
    """An alert that fires or is over; the columns of the table `alerts` say what each means."""

    alert_id: str
    kind: str
    step: str
    next_step: str
    state: str
    opened_at: datetime
    since: datetime
    updated_at: datetime
    resolved_at: datetime | None
    dimension: str
    value: str
    slices: tuple[str, ...]
    observed: float
    expected: float
    change: float
    certainty: float
    people: int
    money: Decimal
    currency: str
    title: str
    notes: tuple[str, ...]


def read_alerts(client: Client, view: View) -> tuple[Alert, ...]:
    """Read the alerts of a site: those that fire first, the most expensive of them on top."""
    return rows_of(Alert, client, view, "alerts_now")
