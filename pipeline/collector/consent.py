"""Events without the visitor's consent are refused. PURE.

Segment's SDKs write into the context of each call what its visitor allowed, as
`consent.categoryPreferences`: a category, and whether it is granted. So does the beacon. Source:
segment.com/docs/privacy/consent-management.
"""

from pipeline.collector.decoding import JsonObject
from schemas.codec import Refused
from schemas.dead_letter import Reason

_CATEGORY = "analytics"


def check_consent(context: JsonObject) -> None:
    """Raise Refused if the context of a call says that its visitor denied analytics."""
    consent = context.get("consent")
    preferences = consent.get("categoryPreferences") if isinstance(consent, dict) else None
    if isinstance(preferences, dict) and any(
        is_granted is False and category.lower() == _CATEGORY
        for category, is_granted in preferences.items()
    ):
        raise Refused(Reason.NO_CONSENT, "its visitor denied analytics; nothing of it is kept")
