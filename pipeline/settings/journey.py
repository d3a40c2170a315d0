"""Settings of sessions, journeys and people."""

from datetime import timedelta
from pathlib import Path

from pydantic import BaseModel, Field

from pipeline.settings.kinds import Count, Duration, Wait
from schemas.fields import Language, Placeholder, Site


class JourneySettings(BaseModel):
    """What a session, a journey and a person are."""

    session_gap: Duration = Field(
        timedelta(minutes=30), description="A longer silence starts a new session."
    )
    allowed_lateness: Wait = Field(
        timedelta(hours=24),
        description="How far a touchpoint may lag behind its site's newest one.",
    )
    journey_timeout: Duration = Field(
        timedelta(days=30),
        description="A longer silence ends a journey. A person who has never ordered is then "
        "forgotten.",
    )
    journey_models: list[str] = Field(
        default_factory=lambda: ["lifecycle", "aida", "favorability", "canvas", "purchase"],
        description="Journey models: names of shipped ones or paths of TOML files. The first is "
        "the default: its funnel is reported and watched, its abandonment rules apply.",
    )
    language: Language = Field(
        "en", description="Language of the labels of phases and KPIs that commands print: en or de."
    )
    customer_timeout: Duration = Field(
        timedelta(days=730),
        description="After a longer silence, people who have ordered are forgotten too. Until "
        "then, a journey after the journey timeout is the next cycle and counts as after a "
        "purchase. Linked visitors are remembered as long.",
    )
    evidence_retention: Duration = Field(
        timedelta(days=30),
        description="How long the tracker keeps every touchpoint. A link between visitors that "
        "becomes known within this time still rewrites their journeys.",
    )
    shared_by_visitors: Count = Field(
        100,
        description="A user, customer, address or subscriber with more visitors than this "
        "joins nobody.",
    )
    shared_by_identifiers: Count = Field(
        5,
        description="A visitor with more users, customers or addresses than this joins "
        "nobody, like a kiosk.",
    )
    placeholders: dict[Site, frozenset[Placeholder]] = Field(
        default_factory=dict,
        description="Site -> words in its ids that mean nobody, besides the usual ones (null, "
        'undefined, 0, …). Example: {"shop": ["gast", "kein kunde"]}',
    )
    traffic_sources: list[Path] = Field(
        default_factory=list,
        description="TOML files that add to the shipped list of traffic sources.",
    )
    referrer_exclusions: list[str] = Field(
        default_factory=list,
        description="Hosts that do not count as a source, with their subdomains: your own "
        "domains, payment providers.",
    )
    brand_terms: list[str] = Field(
        default_factory=list, description="A search for one of these terms is a branded search."
    )
