"""How a process logs: lines for people, or a JSON object each. Shell: changes the root logger."""

import json
import logging
import sys
from datetime import UTC, datetime

import click

from pipeline.settings import Settings

_TEXT = "%(asctime)s %(levelname)s %(name)s: %(message)s"
_log = logging.getLogger(__name__)


class Lines(logging.Formatter):
    """Each record as a JSON object on a line of its own; docs/operations.md lists the fields."""

    def format(self, record: logging.LogRecord) -> str:
        """Give the line; `event` is stable, the message may change."""
        told = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "event": getattr(record, "event", "other"),
            "message": record.getMessage(),
            "logger": record.name,
        }
        if record.exc_info:
            told["error"] = self.formatException(record.exc_info)
        return json.dumps(told, ensure_ascii=False)


class Ended(click.ClickException):
    """A command ended with an error meant for people."""

    def show(self, file: object = None) -> None:
        """Print it, or log it if the log is JSON."""
        del file
        if _is_json():
            _log.error("%s", self.message, extra={"event": "command_failed"})
        else:
            super().show()


def begin(*, verbose: bool) -> None:
    """Log to stderr, as text until the settings are read."""
    level = logging.INFO if verbose else logging.WARNING
    logging.basicConfig(level=level, format=_TEXT, stream=sys.stderr)


def use(settings: Settings) -> None:
    """Log as the settings say."""
    formatter = Lines() if settings.log_format == "json" else logging.Formatter(_TEXT)
    for handler in logging.getLogger().handlers:
        if type(handler) is logging.StreamHandler:
            handler.setFormatter(formatter)


def _is_json() -> bool:
    return any(isinstance(h.formatter, Lines) for h in logging.getLogger().handlers)
