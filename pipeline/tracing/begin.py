"""Switches traces on. Shell: nothing of OpenTelemetry is imported unless they are wanted."""

from typing import TYPE_CHECKING

from schemas.errors import Unusable

if TYPE_CHECKING:
    from pipeline.tracing.spans import Traces


class NoTracing(Unusable):
    """Traces are switched on, and OpenTelemetry is not installed."""


def begin(role: str, *, is_on: bool) -> "Traces | None":
    """Send traces of `role` as the variables OTEL_* say, if they are switched on.

    Raises:
        NoTracing: OpenTelemetry is not installed.
    """
    if not is_on:
        return None
    try:
        from pipeline.tracing.spans import exported  # noqa: PLC0415
    except ImportError as error:
        raise NoTracing(
            "TOUCHSTREAM_TRACING needs OpenTelemetry: pip install 'touchstream[otel]'"
        ) from error
    return exported(role)
