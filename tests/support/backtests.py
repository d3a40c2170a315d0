"""What the tests of the watch ask of a backtest over made-up visits."""

from datetime import datetime

from clickhouse_connect.driver.client import Client

from pipeline.roles.watch.rounds import backtest
from schemas.alert import Alert
from schemas.watch import WatchRules, load_rules
from tests.support.visits import STEPS, Visit, Visits

RULES = load_rules(None)
LAST_STEP = {"kind": "conversion", "step": "Checkout Started", "next_step": "Order Completed"}


def fired(client: Client, start: datetime, end: datetime, rules: WatchRules = RULES) -> list[Alert]:
    """Give the newest version of each alert of a backtest."""
    found = backtest(client, STEPS, rules, start, end)
    return list({a.alert_id: a for _, alerts in found for a in alerts}.values())


def about(alert: Alert) -> dict[str, str]:
    """Give what an alert is about, to compare with `LAST_STEP`."""
    return {"kind": alert.kind, "step": alert.step, "next_step": alert.next_step}


def broken(start: datetime, end: datetime, browser: str = "") -> Visits:
    """Make visits that do not get past the checkout meanwhile, perhaps those of one browser."""

    def checkout(visit: Visit) -> bool:
        return not start <= visit.at < end or (bool(browser) and visit.browser != browser)

    return Visits(checkout=checkout)
