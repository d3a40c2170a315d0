"""Fixtures for all tests, and how hard property tests look: HYPOTHESIS_PROFILE=long, far harder.

`unshrunk` is for whoever knows that they fail (`tests.faults.mutations`).
"""

import os

from hypothesis import HealthCheck, Phase, settings

from tests.support.fixtures import embedded_broker, engine, kafka, kafka_jars

__all__ = ["embedded_broker", "engine", "kafka", "kafka_jars"]

for name, examples in {"quick": 20, "normal": 30, "long": 3000}.items():
    settings.register_profile(
        name,
        max_examples=examples,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow],
    )
settings.register_profile(
    "unshrunk",
    settings.get_profile("normal"),
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "normal"))
