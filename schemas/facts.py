"""What the tracker computes: sessions, transitions, abandonments, who is who. Floor 1.

Facts are recomputed when the evidence changes. The same fact keeps its id and gets a higher
`version` (the offset of the record that changed it, so replays write the same rows); a fact that
the new evidence refutes is written once more with `is_deleted`.
"""

from typing import Literal

from schemas.contract import Contract
from schemas.fields import Count, Id, Instant, Label, Name, OptionalId, Site, Text, VisitorId

AbandonmentKind = Literal["browse", "cart", "checkout", "form", "newsletter", "journey"]
TransitionKind = Literal["enter", "forward", "skip", "back", "cycle"]


class Session(Contract):
    """A visit: touchpoints of one visitor with no gap longer than the session gap.

    `orders_told` are those that its visitor told: another may tell the same order, so sums over
    sessions are not those of the site. `currency` is that of `revenue_told`, or `mixed`: amounts of
    several are not added.
    """

    session_id: Id
    site: Site
    visitor_id: VisitorId
    person_id: Id
    started_at: Instant
    ended_at: Instant
    touchpoints: Count
    page_views: Count
    first_touchpoint_id: Id
    last_touchpoint_id: Id
    entry_path: Text
    exit_path: Text
    channel: Label
    referrer_host: Text
    utm_source: Label
    utm_medium: Label
    utm_campaign: Label
    device: Label
    is_bot: bool
    steps: list[Name]
    orders_told: Count
    revenue_told: float
    kafka_partition: Count
    rule_version: Label
    version: Count
    is_deleted: bool
    traffic_source: Text = ""
    traffic_medium: Text = ""
    traffic_campaign: Label = ""
    channel_group: Label = ""
    keyword: Label = ""
    is_branded: bool = False
    country: Label = ""
    currency: Label = ""


class Transition(Contract):
    """A person's journey entered a phase of a model; `turn` orders those with the same time."""

    transition_id: Id
    site: Site
    model: Name
    person_id: Id
    visitor_id: VisitorId
    cycle: Count
    from_phase: Label
    to_phase: Name
    kind: TransitionKind
    at: Instant
    session_id: Id
    touchpoint_id: Id
    touchpoint_name: Name
    channel: Label
    rule: Name
    seconds_in_previous: Count
    kafka_partition: Count
    rule_version: Label
    version: Count
    is_deleted: bool
    turn: Count = 0


class Product(Contract, kw_only=True):
    """A product at stake and the price of one piece; with a quantity of 0 it was only viewed."""

    product_id: Label
    name: Label
    quantity: Count
    price: float


class Abandonment(Contract, kw_only=True):
    """Something begun and left behind: silence beyond the rule's timeout, or an unsubscription.

    `items` and `value` are the sums of `contents`, which is limited to fifty products.
    """

    abandonment_id: Id
    site: Site
    model: Name
    kind: AbandonmentKind
    person_id: Id
    visitor_id: VisitorId
    session_id: Id
    step: Name
    opened_at: Instant
    last_touchpoint_at: Instant
    last_touchpoint_id: Id
    last_path: Text
    abandoned_at: Instant
    items: Count
    value: float
    currency: Label
    contents: list[Product]
    cause: Label
    cause_touchpoint_id: OptionalId
    recovered_at: Instant | None
    recovered_channel: OptionalId
    recovered_touchpoint_id: OptionalId
    kafka_partition: Count
    rule_version: Label
    version: Count
    is_deleted: bool


class Identity(Contract, kw_only=True):
    """Which person a linked visitor is, by all links known now."""

    site: Site
    visitor_id: VisitorId
    person_id: Id
    kafka_partition: Count
    version: Count
    is_deleted: bool


class Link(Contract, kw_only=True):
    """A visitor was seen with an identifier of a person: a user, customer, address, subscriber."""

    site: Site
    visitor_id: VisitorId
    identifier: VisitorId
    kafka_partition: Count
    version: Count
    is_deleted: bool


Fact = Session | Transition | Abandonment | Identity | Link
