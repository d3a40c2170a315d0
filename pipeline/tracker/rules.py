"""The rules of the tracker, read and compiled. Shell."""

from pipeline.journey.people import Limits
from pipeline.journey.rules import Rules, compile_rules
from pipeline.journey.traffic import TrafficRules
from pipeline.settings import Settings
from schemas.journeys import load_models
from schemas.traffic import load_sources


def rules_of(settings: Settings) -> Rules:
    """Read and compile the journey models and the list of traffic sources.

    Raises:
        BadModel: a journey model is invalid.
        BadSources: a list of traffic sources is invalid.
    """
    return compile_rules(
        load_models(settings.journey_models),
        session_gap=settings.session_gap,
        allowed_lateness=settings.allowed_lateness,
        journey_timeout=settings.journey_timeout,
        customer_timeout=settings.customer_timeout,
        evidence_retention=settings.evidence_retention,
        limits=Limits(settings.shared_by_visitors, settings.shared_by_identifiers),
        traffic=TrafficRules(
            load_sources(settings.traffic_sources),
            exclusions=tuple(settings.referrer_exclusions),
            brand_terms=tuple(settings.brand_terms),
        ),
        placeholders=settings.placeholders,
    )
