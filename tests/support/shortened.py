"""PURE: the shipped alert rules with every time in them divided, so that a test takes seconds.

Times are `for`, the windows of an expression (`[5m]`, `offset 15m`), and the limit of a metric of
seconds (`..._seconds{...} > 600`). Nothing else changes, and nothing is chosen rule by rule.
"""

import re
from typing import Any

_SECONDS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86_400}
_DURATION = re.compile(r"\b(\d+)(ms|s|m|h|d)\b")
_OF_SECONDS = re.compile(r"_seconds(?:\{[^}]*\})?\)? > (.+)$")


def shortened(rules: dict[str, Any], factor: int) -> dict[str, Any]:
    """Divide all times of a rules file, as YAML gives it, by `factor`."""
    return {
        **rules,
        "groups": [
            group | {"rules": [_shortened(rule, factor) for rule in group["rules"]]}
            for group in rules["groups"]
        ],
    }


def seconds(duration: str) -> float:
    """Give the seconds of one duration, such as 5m."""
    [(number, unit)] = _DURATION.findall(duration)
    return int(number) * _SECONDS[unit]


def durations(text: str) -> list[str]:
    """Give the durations in an expression, in order."""
    return ["".join(found) for found in _DURATION.findall(text)]


def skeleton(expression: str) -> str:
    """Give an expression with a dot for each of its times."""
    limit = _OF_SECONDS.sub(lambda found: found[0].replace(found[1], "."), expression)
    return _DURATION.sub(".", limit)


def _shortened(rule: dict[str, Any], factor: int) -> dict[str, Any]:
    changed = {"expr": _expression(rule["expr"], factor)}
    if "for" in rule:
        changed["for"] = _duration(rule["for"], factor)
    return rule | changed


def _expression(expression: str, factor: int) -> str:
    shorter = _DURATION.sub(lambda found: _duration(found[0], factor), expression)
    return _OF_SECONDS.sub(lambda found: f"{found[0]} / {factor}", shorter)


def _duration(duration: str, factor: int) -> str:
    return f"{round(1000 * seconds(duration) / factor)}ms"
