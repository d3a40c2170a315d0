"""`touchstream`: the table of its commands. A command is imported when it is called.

So a collector does not import Faust, and `--help` imports nothing. Every other module gets what it
needs as arguments.
"""

import importlib
from typing import NamedTuple

import click

from pipeline.cli import logs
from pipeline.terminal import without_controls


class Command(NamedTuple):
    """The module of a command, and its line in `--help`."""

    module: str
    name: str
    summary: str


COMMANDS = {
    "ask": Command("questions", "ask_", "Any figure: one of the questions of docs/questions.md."),
    "attribution": Command(
        "reports", "attribution", "Credit orders to the visits that led to them, by several models."
    ),
    "capacity": Command("capacity", "capacity", "How much hardware a load needs."),
    "cohorts": Command("questions", "cohorts", "Who orders again, by month of the first order."),
    "collect": Command("roles", "collect", "Accept touchpoints over HTTP and write them to Kafka."),
    "dead-letters": Command("dead_letters", "dead_letters", "List, show and resend refused input."),
    "demo": Command("demo", "demo", "Start everything, simulate shoppers, print the report."),
    "doctor": Command("doctor", "doctor", "Look at all that the roles need; say what to do."),
    "drain": Command("roles", "drain", "Bring back touchpoints beyond a write key's share."),
    "engine": Command("roles", "engine", ""),
    "erase": Command("personal", "erase", "Erase a person from memory and tables, after asking."),
    "export": Command("personal", "export", "Write everything ClickHouse has about a person."),
    "funnel": Command(
        "reports", "funnel", "How many people get how far through any steps, and how fast."
    ),
    "health": Command("health", "health", "Ask a role on this machine whether it is well."),
    "import": Command(
        "importer", "import_", "Import files: CSV, JSON lines, Parquet, access logs."
    ),
    "init": Command("init", "init", "Write touchstream.toml, with a write key and secrets."),
    "journeys": Command("journeys", "journeys", "Journey models, and why a person is in a phase."),
    "kafka": Command("kafka", "kafka", "Install Apache Kafka on this machine, for `up`."),
    "kpis": Command("questions", "kpis", "The KPIs of a span, compared with the span before."),
    "links": Command("newsletter", "links", "Sign the links of a newsletter."),
    "live": Command(
        "roles", "live", "Serve the live page: where people are and where they are lost."
    ),
    "map": Command("reports", "map_", "The journey map: phases by channels."),
    "migrate": Command("operations", "migrate", "Bring ClickHouse's tables up to date."),
    "newsletter": Command(
        "questions", "newsletter", "The results of each mailing, from the mail to the order."
    ),
    "openapi": Command("settings", "openapi", "Print the OpenAPI document of the collector."),
    "oracle": Command(
        "operations", "oracle", "Replay the log and compare every row of the tables."
    ),
    "pages": Command(
        "questions", "pages", "Which pages people see, and where they enter and leave."
    ),
    "paths": Command(
        "questions", "paths", "Paths through channels, and which of them end with an order."
    ),
    "people": Command("questions", "people", "Who was there, the latest first."),
    "query": Command("reports", "query", "Run SQL against ClickHouse."),
    "rebuild": Command("operations", "rebuild", "Recompute a site from its touchpoints."),
    "replay": Command("operations", "replay", "Send dead letters again, or read a topic again."),
    "report": Command("reports", "report", "Sessions, funnel, abandonment, phases, dead letters."),
    "settings": Command("settings", "settings", "List every setting with its value."),
    "simulate": Command("demo", "simulate", "Send generated journeys through the collector."),
    "sink": Command("roles", "sink", "Write the topics into ClickHouse."),
    "sources": Command("questions", "sources", "Where visits come from, and what they bring."),
    "state": Command("state", "state", "Look at the tracker's memory, or make it anew."),
    "topics": Command("operations", "topics", "Create the Kafka topics that are missing."),
    "track": Command(
        "roles", "track", "Turn touchpoints into sessions, transitions, abandonments."
    ),
    "up": Command("roles", "up", "Run everything on this machine."),
    "verify": Command(
        "operations", "verify", "Compare the sessions with those that plain SQL computes."
    ),
    "watch": Command("roles", "watch", "Watch the funnel; raise an alert when a step drops off."),
    "webhook": Command("roles", "webhook", "Post transitions and abandonments to other systems."),
}
"""Those without a summary are not listed."""


class _Imported(click.Group):
    """A group with the commands of `COMMANDS`."""

    def invoke(self, ctx: click.Context) -> object:
        """Run the command; print an error meant for people, and exit with its code."""
        try:
            return super().invoke(ctx)
        except (click.exceptions.Exit, click.Abort, click.ClickException):
            raise
        except Exception as error:
            from pipeline.cli.failures import sentence_of

            sentence = sentence_of(error)
            if sentence is None:
                raise
            failed = logs.Ended(without_controls(str(sentence)))
            failed.exit_code = sentence.exit_code
            raise failed from error

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Name the commands that `--help` lists."""
        del ctx
        return [name for name, command in COMMANDS.items() if command.summary]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the command; None if no command has this name."""
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
@click.option("-v", "--verbose", is_flag=True, help="Log everything, not only problems.")
@click.version_option(package_name="touchstream")
def main(verbose: bool) -> None:
    """Customer journeys, live from the stream.

    \b
    See it work:            touchstream demo
    Everything, one machine: touchstream init, then touchstream up
    One role, one process:  touchstream collect | track | sink | watch | live | webhook | drain
    Look at the numbers:    touchstream report | map | funnel | attribution

    Settings come from TOUCHSTREAM_* variables or from touchstream.toml; `touchstream settings`
    lists them.
    """
    logs.begin(verbose=verbose)
