"""The commands of `touchstream`, each by its words."""

from collections.abc import Iterator

import click

from pipeline.cli import main
from pipeline.cli.commands import COMMANDS


def commands(of: click.Command, name: str = "") -> Iterator[tuple[str, click.Command]]:
    """Each command that does something, by its words."""
    if not isinstance(of, click.Group):
        yield name, of
        return
    context = click.Context(of)
    for part in COMMANDS if of is main else of.list_commands(context):
        found = of.get_command(context, part)
        assert found
        yield from commands(found, f"{name} {part}".strip())
