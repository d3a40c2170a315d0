"""How thorough the property tests are: HYPOTHESIS_PROFILE=long looks ten times as hard."""

import os

from hypothesis import HealthCheck, settings

_COMMON = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow]}

settings.register_profile("normal", settings(max_examples=300, **_COMMON))  # type: ignore[arg-type]
settings.register_profile("long", settings(max_examples=3000, **_COMMON))  # type: ignore[arg-type]
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "normal"))
