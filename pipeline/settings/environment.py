"""Settings as plain values, and as the environment of another process."""

import json
from typing import Any

from pydantic import SecretStr
from pydantic_core import to_jsonable_python

from pipeline.settings.names import variable
from pipeline.settings.settings import Settings


def environment_of(settings: Settings) -> dict[str, str]:
    """Give the variables that pass exactly these settings to another process."""
    return {variable(name): _as_text(value) for name, value in plain_values(settings).items()}


def plain_values(settings: Settings) -> dict[str, Any]:
    """Give every setting as JSON has it, secrets in plain text."""
    values: dict[str, Any] = to_jsonable_python(_revealed(settings.model_dump()))
    return values


def _as_text(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value)


def _revealed(value: Any) -> Any:
    match value:
        case SecretStr():
            return value.get_secret_value()
        case dict():
            return {name: _revealed(part) for name, part in value.items()}
        case list() | frozenset():
            return [_revealed(part) for part in value]
    return value
