"""The text of a `touchstream.toml` with every setting in it."""

import json
from collections.abc import Iterator, Mapping
from textwrap import wrap
from typing import Any

from pipeline.settings.environment import plain_values
from pipeline.settings.settings import Settings

SECTIONS = {
    "write_keys": "Senders",
    "kafka_bootstrap_servers": "Kafka",
    "clickhouse_url": "ClickHouse",
    "collector_host": "Collector",
    "session_gap": "Rules",
    "tracker_group": "Tracker",
    "drain_group": "Drain",
    "sink_group": "Sink",
    "embedded_path": "Embedded stack",
    "live_host": "Live page",
    "watch_interval": "Watch",
    "site_salt": "Newsletter and webhooks",
    "webhook_endpoints": "Outgoing webhook",
}
"""The headings of settings, each by the setting that it stands before."""

_WIDTH = 98
_HEAD = """\
# The settings of Touchstream, all of them. A line that begins with "#" and a name shows a default:
# remove the "#" to change it. Durations are written PT30M or P2D. A table of its own, with its name
# in brackets, comes at the end of the file. Here are secrets: keep them to yourself, keep a copy.
"""


def settings_file(chosen: Mapping[str, Any]) -> str:
    """Give the text: what is `chosen`, and every other setting as a comment with its default."""
    lines = [_HEAD]
    for name, default in plain_values(Settings.model_construct()).items():
        if name in SECTIONS:
            lines.append(f"\n# {f' {SECTIONS[name]} ':-^{_WIDTH - 2}}\n")
        lines.append("\n")
        lines += _comment(Settings.model_fields[name].description or "")
        mark = "" if name in chosen else "#"
        lines.append(f"{mark}{name} = {_toml(chosen.get(name, default))}\n")
    return "".join(lines)


def _comment(text: str) -> Iterator[str]:
    for line in wrap(text, _WIDTH - 2, break_long_words=False, break_on_hyphens=False):
        yield f"# {line}\n"


def _toml(value: Any) -> str:
    if isinstance(value, dict):
        pairs = ", ".join(f"{_toml(name)} = {_toml(part)}" for name, part in value.items())
        return f"{{ {pairs} }}" if pairs else "{}"
    return json.dumps("" if value is None else value)
