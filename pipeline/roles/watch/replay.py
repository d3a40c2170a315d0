"""`touchstream watch --backtest`: what would have fired, as a table or as JSON lines. Shell."""

from datetime import datetime, timedelta

import click
import msgspec
from clickhouse_connect.driver.client import Client
from rich.console import Console
from rich.table import Table

from pipeline.roles.watch.minutes import minute_of
from pipeline.roles.watch.rounds import backtest
from pipeline.settings import Settings
from pipeline.terminal import print_whole, progress_bar
from schemas.alert import Alert
from schemas.journeys import load_models
from schemas.watch import load_rules


def replay(
    client: Client, settings: Settings, start: datetime, end: datetime, *, as_json: bool
) -> None:
    """Judge the past with the rules of the settings and print what would have fired.

    Raises:
        BadModel, BadWatchRules: a file cannot be used.
        click.UsageError: there is no time between `start` and `end`.
    """
    if end <= start:
        raise click.UsageError("--backtest: TO must be later than FROM")
    steps = load_models(settings.journey_models)[0].funnel
    rules = load_rules(settings.watch_rules)
    alerts: dict[str, Alert] = {}
    with progress_bar(Console(stderr=True)) as progress:
        task = progress.add_task("Minutes", total=(end - start) // timedelta(minutes=1))
        for minute, found in backtest(client, steps, rules, start, end):
            progress.update(task, completed=minute + 1 - minute_of(start))
            alerts |= {alert.alert_id: alert for alert in found}
    if as_json:
        for alert in alerts.values():
            click.echo(msgspec.json.encode(alert))
    else:
        print_whole(_table(list(alerts.values())))


def _table(alerts: list[Alert]) -> Table:
    table = Table(title=f"{len(alerts)} alerts would have fired")
    for name in ("opened", "over", "sure", "what"):
        table.add_column(name, overflow="fold")
    for alert in sorted(alerts, key=lambda alert: alert.opened_at):
        over = f"{alert.resolved_at:%d %b %H:%M}" if alert.resolved_at else ""
        sure = f"{alert.certainty:.1%}"
        table.add_row(f"{alert.opened_at:%d %b %H:%M}", over, sure, alert.title)
    return table
