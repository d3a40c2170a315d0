"""Commands for refused input."""

import click

from pipeline.cli.operations import dead_letters as replay
from pipeline.cli.shared import COUNT, REASON, SITE, STAGE, clickhouse, read_settings


@click.group()
def dead_letters() -> None:
    """List, show and resend refused input, with its stage and reason."""


@dead_letters.command("list")
@SITE
@STAGE
@REASON
@click.option(
    "--most", type=COUNT, default=20, show_default=True, help="How many of the newest to list."
)
def list_(site: str, stage: str, reason: str, most: int) -> None:
    """Count dead letters by site, stage and reason, and list the newest."""
    from pipeline.operations.letters import counts, newest

    with clickhouse(read_settings(), site) as client:
        for count in counts(client, site, stage, reason):
            click.echo(f"{count.letters:>8,}  {count.site or '-'}  {count.stage}  {count.reason}")
        for letter in newest(client, site, stage, reason, most):
            place = f"{letter.source}:{letter.position}"
            click.echo(f"{letter.dead_letter_id}  {letter.at:%F %T}  {place}  {letter.detail}")


@dead_letters.command()
@click.argument("dead_letter_id")
@click.option("--raw", is_flag=True, help="Print only the bytes, as they came.")
def show(dead_letter_id: str, raw: bool) -> None:
    """Show one dead letter: its source, the reason, and its bytes."""
    from pipeline.operations.letters import find

    with clickhouse(read_settings()) as client:
        letter = find(client, dead_letter_id)
    if not raw:
        click.echo(f"{letter.stage} refused it: {letter.reason}, {letter.detail}")
        click.echo(
            f"site {letter.site or '-'}, {letter.source}:{letter.position}, {letter.at:%F %T}"
        )
    click.get_binary_stream("stdout").write(letter.raw() + b"\n" * (not raw))


dead_letters.add_command(replay, "replay")
