"""One command for each role, and all of them on one machine.

Imports are inside the commands, so a collector does not import Faust, nor a sink a web server.
"""

import asyncio
from datetime import datetime, timedelta

import click

from pipeline.cli.shared import COUNT, MOMENT, clickhouse, read_settings
from pipeline.settings import Settings
from pipeline.terminal import until_told


@click.command()
def collect() -> None:
    """Accept touchpoints over HTTP (Segment's tracking API) and write them to Kafka."""
    from pipeline.collector.serve import serve

    serve(read_settings())


@click.command()
def track() -> None:
    """Turn touchpoints into sessions, transitions and abandonments (a Faust worker)."""
    from pipeline.tracker.app import run

    run(read_settings())


@click.command()
def drain() -> None:
    """Bring back touchpoints beyond a write key's share, at a bounded rate (docs/limits.md)."""
    from pipeline.roles.drain import run

    asyncio.run(until_told(run(read_settings())))


@click.command()
def sink() -> None:
    """Write the topics into ClickHouse."""
    from pipeline.roles.sink import run

    asyncio.run(run(read_settings()))


@click.command()
@click.option(
    "--backtest",
    nargs=2,
    type=MOMENT,
    metavar="FROM TO",
    help="Print the alerts of the time from FROM to TO (UTC, TO not included), and exit.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("--test-message", is_flag=True, help="Send one to wherever alerts go, and exit.")
def watch(backtest: tuple[datetime, datetime] | None, *, as_json: bool, test_message: bool) -> None:
    """Alert when fewer people than usual arrive or continue, or errors grow (docs/alerts.md)."""
    from pipeline.roles.watch.loop import watch as watch_
    from pipeline.roles.watch.replay import replay

    known = read_settings()
    if test_message:
        _test_alerts(known)
        return
    with clickhouse(known) as client:
        if backtest is None:
            asyncio.run(until_told(watch_(client, known)))
        else:
            replay(client, known, *backtest, as_json=as_json)


def _test_alerts(known: Settings) -> None:
    from pipeline.roles.watch.delivery.channels import send_test

    outcomes = asyncio.run(send_test(known))
    if not outcomes:
        raise click.ClickException(
            "alerts are sent nowhere: set one of TOUCHSTREAM_WATCH_ALERTMANAGER_URL, "
            "TOUCHSTREAM_WATCH_WEBHOOK_URL, TOUCHSTREAM_WATCH_SLACK_URL and "
            "TOUCHSTREAM_WATCH_MAIL_TO (docs/alerts.md)"
        )
    for name, problem in outcomes.items():
        click.echo(f"{name}: {problem or 'has taken it'}")
    if any(outcomes.values()):
        raise click.ClickException("not every channel has taken the test message")


@click.command()
@click.option("--link", is_flag=True, help="Print a link that opens the page, and exit.")
@click.option("--site", "sites", multiple=True, help="Site that the link opens; default: all.")
@click.option("--days", type=COUNT, help="How long the link is valid; default: the setting.")
def live(link: bool, sites: tuple[str, ...], days: int | None) -> None:
    """Serve the live page and its JSON API: where people are, and where they are lost.

    Opening the page needs a link. It gives read access to certain sites for a certain time:

    \b
      touchstream live --link --site shop --days 30
    """
    from pipeline.live.link import link_to
    from pipeline.live.server import serve
    from pipeline.local.live_key import with_live_key

    known = with_live_key(read_settings())
    if link:
        click.echo(link_to(known, sites, timedelta(days=days) if days else None))
        return
    with clickhouse(known) as client:
        asyncio.run(until_told(serve(client, known)))


@click.command()
def webhook() -> None:
    """Post transitions and abandonments to other systems, signed (docs/webhooks.md)."""
    from pipeline.roles.webhook.role import run

    asyncio.run(until_told(run(read_settings())))


@click.command(hidden=True)
@click.option("--port", type=click.IntRange(0, 65535), default=8123)
@click.option("--host", default="127.0.0.1")
def engine(port: int, host: str) -> None:
    """Run the embedded ClickHouse engine."""
    from pipeline.local.embedded.clickhouse import serve

    asyncio.run(until_told(serve(read_settings().embedded_path / "clickhouse", host, port)))


@click.command()
@click.option("--kafka", help="A running broker to use instead, host:port.")
@click.option(
    "--clickhouse", help="URL of a ClickHouse server to use instead of the embedded engine."
)
def up(kafka: str | None, clickhouse: str | None) -> None:
    """Run everything on this machine: broker, engine, collector, tracker, sink, watch, live page.

    If write keys have shares, it also runs `drain`. If Java and Apache Kafka are installed
    (`touchstream kafka install`), Kafka is the broker, and everything continues where it was after
    Ctrl-C, kill -9 or a reboot. Otherwise the broker keeps its log in memory.
    """
    from pipeline.live.link import link_to
    from pipeline.local.live_key import with_live_key
    from pipeline.local.stack import up as up_

    known = with_live_key(read_settings())
    asyncio.run(up_(known, kafka=kafka, clickhouse=clickhouse, look_at=link_to(known)))
