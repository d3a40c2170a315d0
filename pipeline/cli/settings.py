"""Commands that print the settings and the collector's API."""

import json

import click
from pydantic import BaseModel

from pipeline.cli.shared import read_settings
from pipeline.settings import Settings


@click.command()
def settings() -> None:
    """List every setting: its name, its value, and what it is for."""
    known = read_settings()
    for name, field in Settings.model_fields.items():
        click.echo(f"TOUCHSTREAM_{name.upper()}={_shown(getattr(known, name))}")
        click.echo(f"    {field.description}")


def _shown(value: object) -> str:
    return json.dumps(value, default=_plain) if isinstance(value, dict | list) else str(value)


def _plain(value: object) -> object:
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json", exclude_defaults=True)
    return str(value)


@click.command()
def openapi() -> None:
    """Print the OpenAPI document of the collector's HTTP API."""
    from pipeline.collector.server import openapi as openapi_

    click.echo(openapi_())
