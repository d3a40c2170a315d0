"""The touchpoint: one observed interaction. Floor 1: imports nothing of ours.

`Touchpoint` is the value of a record in `touchpoints.raw`, as the collector, the import or any
other producer writes it. `Enrichment` is what the tracker adds. `TouchpointRow`, both together,
is the value in the topic `touchpoints` and the row in the ClickHouse table of that name.
"""

from typing import Literal

from schemas.contract import Contract
from schemas.fields import (
    Channel,
    Count,
    Id,
    Instant,
    JsonObject,
    Label,
    Name,
    OptionalId,
    Order,
    Text,
    UncheckedSite,
    VisitorId,
)

TouchpointType = Literal["track", "page", "screen", "identify", "alias", "group"]
OrderEvent = Literal["", "completed", "refunded", "partially_refunded", "cancelled"]
"""What a touchpoint does to an order; empty: nothing. All of it goes back, or a part."""


class Touchpoint(Contract, kw_only=True):
    """One observed interaction; at least one of `anonymous_id` and `user_id` is set.

    `occurred_at` is corrected for the device's clock; `ts_adjusted` says that the correction (or
    the clamp to `received_at`) moved it. `previous_id` is set by `alias` only. `sequence` is the
    sender's own order: of touchpoints of one time the lower came first.
    """

    touchpoint_id: Id
    site: UncheckedSite
    type: TouchpointType
    name: Name
    channel: Channel
    occurred_at: Instant
    received_at: Instant
    properties: JsonObject
    anonymous_id: OptionalId = ""
    user_id: OptionalId = ""
    previous_id: OptionalId = ""
    sent_at: Instant | None = None
    ts_adjusted: bool = False
    url: Text = ""
    title: Text = ""
    referrer: Text = ""
    user_agent: Text = ""
    locale: Label = ""
    ip: Label = ""
    sequence: Order = 0


class Enrichment(Contract, omit_defaults=True):
    """What the tracker adds to a touchpoint; a pure function of it and of its place in the log.

    The tracker makes one of each touchpoint, so it is of the fastest kind, and what is empty is
    not written. `TouchpointRow` holds the same fields; a test compares the two. `turn` orders the
    touchpoints of one time.
    """

    visitor_id: VisitorId
    is_late: bool
    kafka_partition: Count
    kafka_offset: Count
    host: Text = ""
    path: Text = ""
    referrer_host: Text = ""
    utm_source: Label = ""
    utm_medium: Label = ""
    utm_campaign: Label = ""
    utm_term: Label = ""
    utm_content: Label = ""
    click_id: Label = ""
    device: Label = ""
    browser: Label = ""
    os: Label = ""
    is_bot: bool = False
    order_event: OrderEvent = ""
    order_id: OptionalId = ""
    revenue: float = 0.0
    currency: Label = ""
    money_problem: Label = ""
    turn: Count = 0


class TouchpointRow(Touchpoint, kw_only=True):
    """A row of `touchpoints`: a touchpoint and its enrichment."""

    visitor_id: VisitorId
    is_late: bool
    host: Text = ""
    path: Text = ""
    referrer_host: Text = ""
    utm_source: Label = ""
    utm_medium: Label = ""
    utm_campaign: Label = ""
    utm_term: Label = ""
    utm_content: Label = ""
    click_id: Label = ""
    device: Label = ""
    browser: Label = ""
    os: Label = ""
    is_bot: bool = False
    order_event: OrderEvent = ""
    order_id: OptionalId = ""
    revenue: float = 0.0
    currency: Label = ""
    money_problem: Label = ""
    turn: Count = 0
    kafka_partition: Count
    kafka_offset: Count


def visitor_of(anonymous_id: str, user_id: str) -> str:
    """Return the id of a touchpoint's visitor (a device); empty if the touchpoint names nobody.

    Without a device id the user id takes its place, in a separate namespace, so that a numeric
    user id never equals an anonymous id.
    """
    return anonymous_id or (f"user:{user_id}" if user_id else "")
