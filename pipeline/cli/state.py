"""Commands for the tracker's memory."""

import asyncio
from typing import TYPE_CHECKING

import click

from pipeline.cli.shared import read_settings, verdict

if TYPE_CHECKING:
    from pipeline.tracker.changelog import Remembered


@click.group()
def state() -> None:
    """Look at the tracker's memory in Kafka, or make it anew from the log."""


@state.command()
def inspect() -> None:
    """Read the memory of each partition, as a tracker does that starts on this machine.

    It is compared with the log and with what the trackers have committed: the exit code is 1 if a
    tracker would refuse to go on with it. Nothing is changed, and trackers may run.
    """
    from pipeline.tracker.changelog import Store

    known = read_settings()
    store = Store(known)

    async def examine() -> "list[Remembered]":
        return [await store.examine(number) for number in range(known.kafka_partitions)]

    found = asyncio.run(examine())
    for each in found:
        click.echo(
            f"partition {each.partition}: {each.visitors:,} visitors, {each.size / 1e6:.1f} MB, "
            f"knows the log to {each.known_to:,} (committed {each.read_to:,}, end {each.end:,})"
        )
    refused = [each.why_not for each in found if each.why_not]
    for why_not in refused:
        click.echo(why_not)
    verdict(len(refused), "partitions that a tracker would refuse")


@state.command()
def rebuild() -> None:
    """Let the trackers make their memory anew from the log; stop them first.

    Rows keep their ids: correct rows in ClickHouse stay as they are. What the trackers wrote and
    the log refutes is taken back. For that, the log must have its beginning, and this machine the
    trackers' rules and memory for the whole log; otherwise run `touchstream rebuild` for each site
    afterwards.
    """
    from pipeline.operations.outdated import said
    from pipeline.operations.rewind import rewind
    from schemas.topics import RAW

    done = asyncio.run(rewind(read_settings(), RAW.name, None))
    if sentence := said(done.taken_back):
        click.echo(sentence)
    click.echo(f"{done.records:,} records of {RAW.name} will be read again; start the trackers")
