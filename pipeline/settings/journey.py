"""Settings of sessions, journeys and people."""

from datetime import timedelta
from pathlib import Path

from pydantic import BaseModel, Field

from pipeline.settings.kinds import Count, Duration, Wait
from schemas.fields import Placeholder, Site


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
        description="A longer silence ends a journey; who has not ordered is forgotten.",
    )
    journey_models: list[str] = Field(
        default_factory=lambda: ["lifecycle", "aida", "favorability", "canvas", "purchase"],
        description="Models to classify with: shipped names or paths of TOML files. The first is "
        "the default: its funnel is reported and watched, its abandonment rules hold.",
    )
    customer_timeout: Duration = Field(
        timedelta(days=730),
        description="A longer silence and who has ordered is forgotten too: until then a journey "
        "after the journey timeout is the next cycle, and not before a purchase. Visitors known "
        "to be a person are remembered as long.",
    )
    evidence_retention: Duration = Field(
        timedelta(days=30),
        description="How long the tracker keeps every touchpoint: a link between visitors that "
        "becomes known so much later still rewrites their journeys.",
    )
    shared_by_visitors: Count = Field(
        100, description="A user, customer, address or subscriber with more visitors joins nobody."
    )
    shared_by_identifiers: Count = Field(
        5, description="A visitor with more users, customers or addresses joins nobody: a kiosk."
    )
    placeholders: dict[Site, frozenset[Placeholder]] = Field(
        default_factory=dict,
        description="Site -> what stands in its ids where nobody is meant, besides the usual "
        'words (null, undefined, 0, …). Example: {"shop": ["gast", "kein kunde"]}',
    )
    traffic_sources: list[Path] = Field(
        default_factory=list,
        description="TOML files that add to the shipped list of traffic sources.",
    )
    referrer_exclusions: list[str] = Field(
        default_factory=list,
        description="Hosts that bring nobody, with all below them: own domains, payment providers.",
    )
    brand_terms: list[str] = Field(
        default_factory=list, description="A search for one of these is a branded search."
    )
