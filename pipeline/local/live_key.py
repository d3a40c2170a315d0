"""The key that signs links to the live page, where no setting names one. Shell: keeps a file."""

import os
import secrets
from pathlib import Path

from pydantic import SecretStr

from pipeline.settings import Settings


def with_live_key(settings: Settings) -> Settings:
    """Give settings with a key: that of the settings, else the one that is kept, else a new one."""
    if settings.live_keys:
        return settings
    key = _kept(settings.embedded_path / "live.key")
    return settings.model_copy(update={"live_keys": [SecretStr(key)]})


def _kept(path: Path) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(secrets.token_hex(32))
    except FileExistsError:
        pass
    return path.read_text().strip()
