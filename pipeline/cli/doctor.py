"""Whether everything that the roles need is there."""

import asyncio

import click

from pipeline.cli.shared import read_settings
from pipeline.kafka.rights import NEEDED
from pipeline.settings import Settings
from schemas.errors import TouchstreamError, Unavailable


class Sick(TouchstreamError):
    """Something is wrong; the lines before say what to do."""


@click.command()
@click.option(
    "--role",
    type=click.Choice(list(NEEDED)),
    default=None,
    help="Check what this role needs of Kafka, for a login that is its own; default: every role.",
)
def doctor(role: str | None) -> None:
    """Look at all that the roles need, one line each, and say what to do about what is wrong.

    It checks versions, disks, clocks, the connections to Kafka and ClickHouse, rights, topics with
    their partitions, lags, and migrations. It changes nothing.

    The exit code is 0 if all is well, 1 if something is wrong, and 69 if Kafka or ClickHouse does
    not answer.
    """
    asyncio.run(_examine(read_settings(), role or ""))


async def _examine(settings: Settings, role: str) -> None:
    from pipeline.operations.doctor import examine

    wrong: dict[str, list[str]] = {"WRONG": [], "silent": []}
    async for subject, verdict, says in examine(settings, role):
        click.echo(f"{verdict:<7} {subject:<18} {says}")
        wrong.setdefault(verdict, []).append(subject)
    if wrong["silent"]:
        raise Unavailable(f"no answer from {' and '.join(wrong['silent'])}; see above what to do")
    if wrong["WRONG"]:
        raise Sick(f"not well: {', '.join(wrong['WRONG'])}; see above what to do")
