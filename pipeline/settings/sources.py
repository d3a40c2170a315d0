"""Where settings come from: the environment, secret files, a TOML file. Shell: reads them.

Lists and tables are JSON in the environment. A plain form is accepted too: `lifecycle,aida` is a
list, `wk_live_4f1c:shop` a table.
"""

import json
import os
import re
from collections.abc import Iterable
from importlib.abc import Traversable
from itertools import filterfalse
from pathlib import Path
from typing import Any, get_args, get_origin

from pydantic.fields import FieldInfo
from pydantic_settings import (
    EnvSettingsSource,
    PydanticBaseSettingsSource,
    SecretsSettingsSource,
    TomlConfigSettingsSource,
)

from pipeline.settings.kinds import BadSettings
from pipeline.settings.names import misplaced
from schemas.toml import NotToml, parsed_toml

_PREFIX = "touchstream_"
_SOURCES = frozenset({"touchstream_config", "touchstream_secrets_dir"})
_SERVICE_LINK = re.compile(r"_SERVICE_(HOST|PORT(_\w+)?)$|_PORT_\d+_(TCP|UDP)(_\w+)?$")
"""What Kubernetes sets for each service of a namespace, here for those named touchstream-..."""


class _Written(PydanticBaseSettingsSource):
    def decode_complex_value(self, field_name: str, field: FieldInfo, value: Any) -> Any:
        """Read a list or a table from text."""
        text = str(value).strip()
        name = f"TOUCHSTREAM_{field_name.upper()}"
        try:
            return json.loads(text) if text[:1] in ("[", "{") else _plain(text, field.annotation)
        except json.JSONDecodeError as error:
            raise BadSettings(f"{name}: invalid JSON: {error}{example_of(field)}") from None
        except ValueError as error:
            raise BadSettings(f"{name}: {error}{example_of(field)}") from None

    def unknown(self, names: Iterable[str]) -> dict[str, Any]:
        """Give those of the `names` with our prefix that no setting has, to be refused."""
        ours = {name.lower() for name in names if name.lower().startswith(_PREFIX)}
        known = {_PREFIX + name for name in self.settings_cls.model_fields}
        return {name.removeprefix(_PREFIX): "" for name in sorted(ours - known - _SOURCES)}


class Environment(_Written, EnvSettingsSource):
    """Variables TOUCHSTREAM_*."""

    def __call__(self) -> dict[str, Any]:
        """Read them, also those that no setting has."""
        return super().__call__() | self.unknown(filterfalse(_SERVICE_LINK.search, os.environ))


class Secrets(_Written, SecretsSettingsSource):
    """Files of a folder, each named like a variable; an empty file counts as not set."""

    def __call__(self) -> dict[str, Any]:
        """Read them, also those that no setting has."""
        folder = os.environ.get("TOUCHSTREAM_SECRETS_DIR")
        files = Path(folder).iterdir() if folder else ()
        given = {name: value for name, value in super().__call__().items() if value or value == 0}
        return given | self.unknown(file.name for file in files)


class TomlFile(TomlConfigSettingsSource):
    """`touchstream.toml`, or the file that TOUCHSTREAM_CONFIG names."""

    def __call__(self) -> dict[str, Any]:
        """Give its settings; BadSettings if one of them became part of a table by its place."""
        for table, name in misplaced(self.settings_cls, self.toml_data):
            raise BadSettings(
                f"{self.toml_file_path}: {name} is part of the table [{table}] there; move it "
                "above the first line in brackets"
            )
        return super().__call__()

    def _read_file(self, file_path: Path | Traversable) -> dict[str, Any]:
        try:
            return parsed_toml(file_path.read_bytes())
        except OSError as error:
            raise BadSettings(f"{file_path}: cannot be read: {error.strerror}") from None
        except NotToml as error:
            raise BadSettings(f"{file_path}: {error}") from None


def config_file() -> Path:
    """Give the TOML file; raise BadSettings if a named file or folder does not exist."""
    path = Path(os.environ.get("TOUCHSTREAM_CONFIG", "touchstream.toml"))
    if "TOUCHSTREAM_CONFIG" in os.environ and not path.exists():
        raise BadSettings(f"TOUCHSTREAM_CONFIG: there is no file {path}")
    if path.is_dir():
        raise BadSettings(f"{path}: cannot be read: it is a folder")
    folder = os.environ.get("TOUCHSTREAM_SECRETS_DIR")
    if folder and not Path(folder).is_dir():
        raise BadSettings(f"TOUCHSTREAM_SECRETS_DIR: there is no folder {folder}")
    return path


def example_of(field: FieldInfo) -> str:
    """Give the example in a setting's description, to append to an error."""
    _, mark, example = (field.description or "").partition("Example: ")
    return f"; write it as {example.split('; see')[0].rstrip('.')}" if mark else ""


def _plain(text: str, kind: Any) -> Any:
    parts = [part.strip().strip("\"'") for part in text.split(",")]
    parts = [part for part in parts if part]
    if get_origin(kind) is not dict:
        return parts
    is_listed = get_origin(get_args(kind)[1]) in (list, frozenset)
    pairs = [part.partition(":") for part in parts]
    if not all(colon and name.strip() for name, colon, _ in pairs):
        raise ValueError("not a table; write name:value, with commas between several")
    return {
        name.strip(): [value.strip()] if is_listed else value.strip() for name, _, value in pairs
    }
