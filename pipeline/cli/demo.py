"""Simulated shoppers."""

import asyncio
import os
import sys

import click
from rich.console import Console

from pipeline.cli.shared import ABOVE_0, COUNT, read_settings
from pipeline.settings import BadSettings


@click.command()
@click.option(
    "--once",
    is_flag=True,
    help="Exit after the report. Default if ONCE=1 is set or there is no terminal.",
)
@click.option(
    "--people", type=COUNT, default=2000, show_default=True, help="How many people to simulate."
)
def demo(once: bool, people: int) -> None:
    """Start everything, simulate shoppers, print the report.

    It takes any free ports, or those from TOUCHSTREAM_PORT_BASE on. All other settings are its own.
    """
    from pipeline.demo.run import run

    known = read_settings()  # the roles read them too: what is wrong is said before anything starts
    alone = once or os.environ.get("ONCE") == "1" or not sys.stdout.isatty()
    asyncio.run(run(once=alone, people=people, console=Console(), port_base=known.port_base))
    if alone and not once and "ONCE" not in os.environ:
        click.echo("there is no terminal, so it ends here; in one it goes on live", err=True)


@click.command()
@click.option("--url", help="URL of the collector; default: from the settings.")
@click.option("--write-key", help="Default: the first of TOUCHSTREAM_WRITE_KEYS.")
@click.option("--people", type=COUNT, default=2000, show_default=True)
@click.option("--seed", default=1, show_default=True, help="The same seed gives the same journeys.")
@click.option(
    "--hours",
    type=ABOVE_0,
    default=12.0,
    show_default=True,
    help="Spread the journeys over the last N hours. An alert needs a history of eight.",
)
@click.option("--follow", type=ABOVE_0, help="Continue live with N touchpoints per second.")
@click.option(
    "--break",
    "breaks",
    type=click.Choice(["cart", "checkout"]),
    help="From now on nobody gets past this step, to try out an alert. Needs --follow.",
)
@click.option("--browser", default="", help="Break it only in this browser, e.g. Firefox.")
def simulate(  # noqa: PLR0917 - click gives them by name
    url: str | None,
    write_key: str | None,
    people: int,
    seed: int,
    hours: float,
    follow: float | None,
    breaks: str | None,
    browser: str,
) -> None:
    """Send generated multi-channel journeys through the HTTP collector."""
    from pipeline.demo.simulate import simulate as simulate_
    from pipeline.terminal import progress_bar

    known = read_settings()
    key = write_key or next(iter(known.write_keys), None)
    if key is None:
        raise BadSettings("no write key: give --write-key or set TOUCHSTREAM_WRITE_KEYS")
    with progress_bar(Console()) as progress:
        summary = asyncio.run(
            simulate_(
                url or f"http://{known.collector_host}:{known.collector_port}",
                key,
                people=people,
                seed=seed,
                hours=hours,
                follow_rate=follow,
                progress=progress,
                breaks=breaks,
                browser=browser,
            )
        )
    click.echo(str(summary))
