"""A first file of settings."""

import os
import secrets
from pathlib import Path
from typing import Any

import click
from pydantic import TypeAdapter, ValidationError

from pipeline.settings import BadSettings
from pipeline.settings.file import settings_file
from pipeline.settings.kinds import Word
from schemas.fields import Site


@click.command()
@click.option("--site", default="shop", show_default=True, help="The site of the write key.")
@click.option("--key", help="The write key; default: a new one.")
@click.option(
    "--port-base",
    type=click.IntRange(0, 65_000),
    default=0,
    help="The first of the ports; default: the usual ones.",
)
@click.option("--compose", is_flag=True, help="Write what docker-compose.yml needs instead.")
def init(site: str, key: str | None, port_base: int, compose: bool) -> None:
    """Write touchstream.toml: every setting with its explanation, a write key, and secrets.

    It is written to the current folder, or to where TOUCHSTREAM_CONFIG says, and only you can read
    it. A file that is there stays as it is. With --compose, .env and deploy/secrets are written.
    """
    key = key or f"wk_{secrets.token_hex(8)}"
    _check(key, site)
    if compose:
        from pipeline.local.containers import SECRETS, write_for_containers

        write_for_containers(key, site, first_settings(key, site), port_base)
        told, then = f".env and {SECRETS} are", "docker compose up -d"
    else:
        told, then = f"{_write_file(key, site, port_base)} is", "touchstream up"
    click.echo(f"{told} written, with the write key {key} of the site {site}, and with secrets.")
    click.echo(f"Next: {then}")


def _write_file(key: str, site: str, port_base: int) -> Path:
    from pipeline.local.kafka.parts import find

    path = Path(os.environ.get("TOUCHSTREAM_CONFIG", "touchstream.toml"))
    chosen = first_settings(key, site)
    if find(Path(".touchstream").resolve()) is None:
        chosen["kafka_idempotence"] = False
    if port_base:
        chosen["port_base"] = port_base
    _write_new(path, settings_file(chosen))
    return path


def first_settings(key: str, site: str) -> dict[str, Any]:
    """Give a write key for a site, and new secrets."""
    return {
        "write_keys": {key: site},
        "site_salt": secrets.token_hex(32),
        "link_keys": [secrets.token_hex(32)],
        "server_secrets": {site: [secrets.token_hex(32)]},
        "live_keys": [secrets.token_hex(32)],
    }


def _write_new(path: Path, text: str) -> None:
    """Write a file that only its owner can read.

    Raises:
        BadSettings: there is one, or it cannot be written.
    """
    try:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(text)
    except FileExistsError:
        raise BadSettings(
            f"{path} is there already, with secrets that are in use: change it by hand, or move "
            "it away first"
        ) from None


def _check(key: str, site: str) -> None:
    try:
        TypeAdapter(Site).validate_python(site)
        TypeAdapter(Word).validate_python(key)
    except ValidationError:
        raise BadSettings(
            f"{site!r} cannot be a site, or {key!r} no write key: write a site in lower-case "
            "letters, digits, and . _ - in between, and a key without blanks"
        ) from None
