"""The pictures of the live page in docs/images, of a simulated shop whose checkout has just broken.

python -m tests.support.screenshots [--folder docs/images] [--people 400]

The shop has `--people` visitors an hour, at this time of the last ten days; the watch finds the
alert in its tables. The clock of the server stands still: a slow machine gives the same pictures.
"""

import argparse
import asyncio
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from clickhouse_connect.driver.client import Client
from playwright.async_api import Browser, Page, async_playwright

from pipeline.demo.simulation.calls import journeys
from pipeline.demo.simulation.faults import broken
from pipeline.demo.simulation.shopper import Call
from pipeline.roles.watch.rounds import backtest
from pipeline.roles.watch.store import keep_alerts
from schemas.alert import Alert
from schemas.watch import load_rules
from tests.support.browser import launched
from tests.support.database import track_fully
from tests.support.engine import EngineServer
from tests.support.live import Serving, read, serving, token_for
from tests.support.stories import LIFECYCLE, library, write

ROOT = Path(__file__).parents[2]
ZONE = "Europe/Berlin"
_DAYS, _HOURS, _HOURS_TODAY = 9, 2.0, 4.0
_BROKEN_FOR = timedelta(minutes=50)
_PATIENCE_MS = 180_000


@dataclass(frozen=True)
class Picture:
    """One picture: what it shows, and how large the window is."""

    name: str
    width: int
    height: int
    scheme: str = "light"
    path: str = "/"


PICTURES = (
    Picture("live", 1440, 806),
    Picture("live-dark", 1440, 1390, scheme="dark"),
    Picture("live-phone", 390, 1240),
    Picture("live-person", 1440, 700, path="person"),
)


def _calls(people: int, now: datetime) -> Iterator[Call]:
    """Give what happened until `now`; today the checkout breaks."""
    for day in range(_DAYS, -1, -1):
        end, hours = now - timedelta(days=day), _HOURS if day else _HOURS_TODAY
        found = journeys(100 + day, int(people * hours), end - timedelta(hours=hours), end)
        if day == 0:
            found = broken(found, "checkout", now - _BROKEN_FOR)
        yield from (call for call in found if call["timestamp"] < now)


def fill(client: Client, people: int, now: datetime) -> None:
    """Fill the tables, then let the watch look at the last two hours."""
    touchpoints = [read(call) for call in _calls(people, now)]
    _say(f"{len(touchpoints):,} touchpoints")
    track_fully(client, touchpoints)
    _say("the watch looks at the last two hours")
    found: dict[str, Alert] = {}
    start = now - timedelta(hours=2)
    for _, alerts in backtest(client, LIFECYCLE.funnel, load_rules(None), start, now):
        found |= {alert.alert_id: alert for alert in alerts}
    keep_alerts(client, list(found.values()))
    _say(f"{len(found)} alerts")
    last = max(touchpoints, key=lambda each: each.occurred_at)
    _write_one_more(client, last.anonymous_id, now)


def _write_one_more(client: Client, visitor: str, now: datetime) -> None:
    seen = {"touchpoint_id": "newest", "visitor_id": visitor, "type": "page", "path": "/"}
    at = {"occurred_at": now - timedelta(seconds=1), "received_at": now - timedelta(seconds=0.4)}
    named = {"name": "Page Viewed", "channel": "website", "properties": "{}"}
    write(client, "touchpoints", seen | at | named)


@asynccontextmanager
async def shop(people: int, now: datetime) -> AsyncIterator[tuple[Serving, Client]]:
    """Serve the page of the simulated shop at `now`."""
    with tempfile.TemporaryDirectory() as folder:
        async with EngineServer(Path(folder) / "data") as engine:
            with library(engine) as client:
                await asyncio.to_thread(fill, client, people, now)
                told: dict[str, Any] = {"site_time_zones": {"shop": ZONE}}
                told |= {"journey_models": ["lifecycle"], "write_keys": {"wk_shop": "shop"}}
                async with serving(client, lambda: now, **told) as live:
                    yield live, client


async def _take(browser: Browser, live: Serving, picture: Picture, folder: Path) -> None:
    size: Any = {"width": picture.width, "height": picture.height}
    look: Any = {"color_scheme": picture.scheme, "reduced_motion": "reduce"}
    context = await browser.new_context(viewport=size, locale="en-GB", **look)
    page = await context.new_page()
    await page.goto(f"{live.url}/?token={token_for()}")
    if picture.path == "person":
        await _go_to_somebody(page, live)
    else:
        await page.wait_for_selector("#main h1", state="attached", timeout=_PATIENCE_MS)
        await page.evaluate("scrollTo(0, document.body.scrollHeight)")  # the rest comes then
        await page.wait_for_selector(".loading", state="detached", timeout=_PATIENCE_MS)
        await page.evaluate("scrollTo(0, 0)")
    await page.wait_for_timeout(1_000)
    await page.screenshot(path=folder / f"{picture.name}.png")
    await context.close()
    _say(f"{folder / picture.name}.png")


async def _go_to_somebody(page: Page, live: Serving) -> None:
    """Open the person who was won back and has the longest way that fits into a picture."""
    _, found = await live.get("/api/people", of="left", where="won", span="24h")
    fitting = [one for one in found["people"] if one["sessions"] > 1 and one["touchpoints"] < 45]
    longest = max(fitting or found["people"], key=lambda one: one["touchpoints"])
    await page.goto(f"{live.url}/?span=24h&view=person&person={longest['person_id']}")
    await page.wait_for_selector(".tlw svg", timeout=_PATIENCE_MS)


def _say(what: str) -> None:
    print(what, flush=True)


async def _main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", default=ROOT / "docs" / "images", type=Path)
    parser.add_argument("--people", default=400, type=int)
    told = parser.parse_args()
    async with shop(told.people, datetime.now(UTC)) as (live, _), async_playwright() as playwright:
        browser = await launched(playwright)
        for picture in PICTURES:
            await _take(browser, live, picture, told.folder)
        await browser.close()


if __name__ == "__main__":
    asyncio.run(_main())
