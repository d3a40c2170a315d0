"""What is wrong with the settings, in sentences."""

from pydantic import ValidationError

from pipeline.settings.kinds import BadSettings
from pipeline.settings.names import unknown, variable
from pipeline.settings.settings import Settings
from pipeline.settings.sources import example_of

_KUBERNETES_LINK = "tcp://"


def bad_settings(error: ValidationError) -> BadSettings:
    """Build the error that names everything that is wrong, a line each."""
    lines = [
        _complaint(*map(str, one["loc"]), kind=one["type"], message=one["msg"], given=one["input"])
        for one in error.errors()
    ]
    return BadSettings(
        "invalid settings (`touchstream settings` lists all of them):\n" + "\n".join(lines)
    )


def _complaint(name: str, *within: str, kind: str, message: str, given: object) -> str:
    field = Settings.model_fields.get(name)
    if kind == "extra_forbidden":
        message = unknown(Settings, name, *within)
    elif "timedelta" in message or "duration" in message:
        message = "write a duration in seconds, or as PT30M or P2D"
    elif str(given).startswith(_KUBERNETES_LINK):
        message = "is a service link of Kubernetes; set `enableServiceLinks: false` in the pod"
    example = example_of(field) if field and len(within) < 2 else ""  # noqa: PLR2004
    where = ".".join((variable(name), *map(str.upper, within)))
    return f"  {where}: {message}{example}"
