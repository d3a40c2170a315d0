"""The key that signs links to the live page if no setting names one. Shell: keeps a file."""

import os
import secrets
from contextlib import suppress
from pathlib import Path

from pydantic import SecretStr

from pipeline.local.folder import not_writable
from pipeline.settings import Settings


def with_live_key(settings: Settings) -> Settings:
    """Return settings with a key: their own, else the one in the file, else a new one.

    Raises:
        BadSettings: the file cannot be written; the text says where it is, and what to do.
    """
    if settings.live_keys:
        return settings
    key = _kept(settings.embedded_path / "live.key")
    return settings.model_copy(update={"live_keys": [SecretStr(key)]})


def _kept(path: Path) -> str:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            _write(path, secrets.token_hex(32))
        return path.read_text().strip()
    except OSError as error:
        raise not_writable(path.parent, error) from None


def _write(path: Path, key: str) -> None:
    with (
        suppress(FileExistsError),  # another process was faster
        os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file,
    ):
        file.write(key)
