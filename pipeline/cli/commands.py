"""`touchstream`: the table of its commands. A command is imported when it is called.

Every other module gets what it needs as an argument. So a collector needs no Faust, and `--help`
needs nothing.
"""

import importlib
import logging
import sys
from typing import NamedTuple

import click

from pipeline.terminal import without_controls


class Command(NamedTuple):
    """Where a command stands, and its line in `--help`."""

    module: str
    name: str
    summary: str


COMMANDS = {
    "attribution": Command(
        "reports", "attribution", "Give the orders to what led to them, by several models."
    ),
    "cohorts": Command(
        "questions", "cohorts", "Who orders again, by the month of the first order."
    ),
    "collect": Command("roles", "collect", "Take touchpoints over HTTP and put them into Kafka."),
    "dead-letters": Command(
        "dead_letters", "dead_letters", "What was refused: list it, show it, send it again."
    ),
    "demo": Command(
        "demo", "demo", "Start everything, simulate shoppers, print what came of them."
    ),
    "drain": Command("roles", "drain", "Bring back what write keys sent beyond their share."),
    "engine": Command("roles", "engine", ""),
    "erase": Command("personal", "erase", "Erase a person from memory and tables; asks first."),
    "export": Command("personal", "export", "Write all that ClickHouse holds of a person."),
    "funnel": Command(
        "reports", "funnel", "How many come how far through any steps, and how fast."
    ),
    "import": Command(
        "importer", "import_", "Import files: CSV, JSON lines, Parquet, access logs."
    ),
    "journeys": Command("journeys", "journeys", "Journey models, and why a person is in a phase."),
    "kafka": Command("kafka", "kafka", "Bring Apache Kafka to this machine, for `up`."),
    "kpis": Command("questions", "kpis", "The KPIs of a span, beside the span before."),
    "links": Command("newsletter", "links", "Sign the links of a newsletter."),
    "live": Command("roles", "live", "The live page: where people are, where they are lost, now."),
    "map": Command("reports", "map_", "The journey map: phases by channels."),
    "migrate": Command("operations", "migrate", "Bring ClickHouse's tables up to date."),
    "newsletter": Command(
        "questions", "newsletter", "What became of each mailing, from the mail to the order."
    ),
    "openapi": Command("settings", "openapi", "Print the OpenAPI document of the collector."),
    "oracle": Command(
        "operations", "oracle", "Replay the log and compare every row of the tables."
    ),
    "pages": Command(
        "questions", "pages", "Which pages are seen, and where people come in and leave."
    ),
    "paths": Command("questions", "paths", "The ways over channels, and which end with an order."),
    "people": Command("questions", "people", "Who was there, the latest first."),
    "query": Command("reports", "query", "Run SQL against ClickHouse."),
    "rebuild": Command("operations", "rebuild", "Compute a site anew from its touchpoints."),
    "replay": Command(
        "operations", "replay", "Send dead letters again, or have a topic read again."
    ),
    "report": Command("reports", "report", "Sessions, funnel, abandonment, phases, dead letters."),
    "settings": Command("settings", "settings", "List every setting with its value."),
    "simulate": Command("demo", "simulate", "Send generated journeys through the collector."),
    "sink": Command("roles", "sink", "Write the topics into ClickHouse."),
    "sources": Command("questions", "sources", "Where visits come from, and what they bring."),
    "topics": Command("operations", "topics", "Create the Kafka topics that are missing."),
    "track": Command(
        "roles", "track", "Turn touchpoints into sessions, transitions, abandonments."
    ),
    "up": Command("roles", "up", "Run everything on this machine."),
    "verify": Command(
        "operations", "verify", "Compare the sessions with those that plain SQL makes."
    ),
    "watch": Command("roles", "watch", "Watch the funnel; warn when a step drops off."),
    "webhook": Command("roles", "webhook", "Post transitions and abandonments to other systems."),
}
"""Those without a summary are not listed."""


class _Imported(click.Group):
    """A group whose commands stand in `COMMANDS`."""

    def invoke(self, ctx: click.Context) -> object:
        """Run the command; an error meant for people becomes a sentence and its exit code."""
        try:
            return super().invoke(ctx)
        except (click.exceptions.Exit, click.Abort, click.ClickException):
            raise
        except Exception as error:
            from pipeline.cli.failures import sentence_of

            sentence = sentence_of(error)
            if sentence is None:
                raise
            failed = click.ClickException(without_controls(str(sentence)))
            failed.exit_code = sentence.exit_code
            raise failed from error

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Name the commands that `--help` lists."""
        del ctx
        return [name for name, command in COMMANDS.items() if command.summary]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the command; None if there is none of this name."""
        del ctx
        if cmd_name not in COMMANDS:
            return None
        found = COMMANDS[cmd_name]
        module = importlib.import_module(f"pipeline.cli.{found.module}")
        command: click.Command = getattr(module, found.name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list without importing anything."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, COMMANDS[name].summary) for name in self.list_commands(ctx)])


@click.group(cls=_Imported, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("-v", "--verbose", is_flag=True, help="Log what happens, not only what goes wrong.")
@click.version_option(package_name="touchstream")
def main(verbose: bool) -> None:
    """Customer journeys, live from the stream.

    \b
    See it work:            touchstream demo
    Everything, one machine: touchstream up
    One role, one process:  touchstream collect | track | sink | watch | live | webhook | drain
    Look at the numbers:    touchstream report | map | funnel | attribution

    Settings come from TOUCHSTREAM_* variables or from touchstream.toml; `touchstream settings`
    lists them.
    """
    logging.basicConfig(
        level=logging.INFO if verbose else logging.WARNING,
        format="%(asctime)s %(levelname)s %(name)s: %(message)s",
        stream=sys.stderr,
    )
