"""docs/settings.md: every setting with its default, as `pipeline.settings` has them. Shell.

`python -m tests.support.settings_page` writes it.
"""

from pathlib import Path

from pipeline.settings import Settings, environment_of
from pipeline.settings.file import SECTIONS

PAGE = Path(__file__).parents[2] / "docs" / "settings.md"

_INTRODUCTION = """\
# Settings

<!-- Written by `python -m tests.support.settings_page`; words from pipeline/settings/. -->

Every command reads the same settings. `touchstream settings` prints them with the values in force.
`touchstream init` writes a file with all of them, a write key, and secrets.

There are three sources; the first takes precedence:

1. environment variables, `TOUCHSTREAM_SESSION_GAP=PT20M`;
2. files in the folder `TOUCHSTREAM_SECRETS_DIR`, each named as its variable in lower case
   (`touchstream_clickhouse_password`), as Docker and Kubernetes mount secrets;
3. a TOML file with the names in lower case and without the prefix, `session_gap = "PT20M"`:
   `touchstream.toml` in the current folder, or the path in `TOUCHSTREAM_CONFIG`.

An invalid value or an unknown name, wherever it stands, ends the command with an error that names
it and what was probably meant. Only what Kubernetes sets by itself for services named
`touchstream-...` is ignored.

Durations are written in ISO 8601 (`PT0.005S`, `PT30M`, `P1D`), lists and tables as JSON
(`["lifecycle"]`, `{"wk_live_4f1c": "shop"}`) or plainly (`lifecycle,aida`, `wk_live_4f1c:shop`); in
the file, write them as TOML does. Processes that work together need the same settings under *Kafka*
and *Rules*.
"""


def page() -> str:
    """Give the text of docs/settings.md."""
    lines = [_INTRODUCTION]
    defaults = environment_of(Settings.model_construct())
    fields = Settings.model_fields.items()
    for (name, field), (variable, default) in zip(fields, defaults.items(), strict=True):
        if name in SECTIONS:
            lines.append(f"\n## {SECTIONS[name]}\n\n| variable | default | |\n|---|---|---|\n")
        shown = f"`{default}`" if default else "empty"
        lines.append(f"| `{variable}` | {shown} | {field.description} |\n")
    return "".join(lines)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
