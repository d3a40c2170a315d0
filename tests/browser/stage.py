"""What came of what visitors did: rows of ClickHouse, by the port of the shop they were in."""

import asyncio
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from clickhouse_connect.driver.client import Client
from playwright.async_api import Page

from schemas.codec import Tick, encode
from tests.support.collector import CollectorProcess
from tests.support.line import Line
from tests.support.shop import Shop

LEFT_KEY = "wk_left"
LEFT_SITE = "left"
"""A site of its own for what is left behind: its time is put forward."""

_PATIENCE_SECONDS = 30

TIMED = ("Page Engaged", "Page Slow")
"""Whether these come depends on how fast the machine is; tests ask for them by name."""

Row = dict[str, Any]


@dataclass
class Stage:
    """A collector, and the tables at the other end of the line."""

    collector: CollectorProcess
    line: Line
    client: Client

    @property
    def url(self) -> str:
        return self.collector.url

    async def touchpoints(self, shop: Shop, names: Sequence[str]) -> list[Row]:
        """Wait until `names` is what happened in `shop`, in order; give all that is there."""
        until = time.monotonic() + _PATIENCE_SECONDS
        while True:
            rows = await self._touchpoints(shop)
            if names_of(rows) == list(names) or time.monotonic() > until:
                return rows
            await asyncio.sleep(0.2)

    async def settled(self, shop: Shop) -> list[Row]:
        """Give what happened in `shop` when nothing more is on its way through the line."""
        await self.line.settle()
        return await self._touchpoints(shop)

    async def query(self, sql: str, **parameters: Any) -> list[Row]:
        """Ask ClickHouse."""
        result = await asyncio.to_thread(self.client.query, sql, parameters=parameters)
        return list(result.named_results())

    async def facts(self, view: str, rows: Sequence[Row], order: str) -> list[Row]:
        """Give the rows of `view` that are about the visitors of `rows`, once all is written."""
        await self.line.settle()
        visitors = sorted({row["visitor_id"] for row in rows})
        known = "visitor_id IN {visitors:Array(String)}"
        sql = f"SELECT * FROM {view} WHERE {known} ORDER BY {order}"  # noqa: S608 - our own text
        return await self.query(sql, visitors=visitors)

    async def phases(self, rows: Sequence[Row]) -> list[str]:
        """Give the phases of the default model that the visitors of `rows` came to, in order."""
        moves = await self.facts("person_transitions", rows, "at")
        return [move["to_phase"] for move in moves if move["model"] == "lifecycle"]

    async def let_pass(self, site: str, duration: timedelta) -> None:
        """Put the time of `site` forward."""
        then = datetime.now(UTC) + duration
        tick = encode(Tick(tick=then, site=site))
        at = int(then.timestamp() * 1000)
        partitions = range(self.line.settings.kafka_partitions)
        await self.line.send([(None, partition, tick, at) for partition in partitions])

    async def _touchpoints(self, shop: Shop) -> list[Row]:
        rows = await self.query(
            "SELECT * FROM person_touchpoints WHERE position(url, {port:String}) > 0"
            " ORDER BY occurred_at, turn, touchpoint_id",
            port=f":{shop.port}/",
        )
        return [row | {"properties": json.loads(row["properties"])} for row in rows]


def names_of(rows: Sequence[Row]) -> list[str]:
    """Name what happened, without what depends on the speed of the machine."""
    return [row["name"] for row in rows if row["name"] not in TIMED]


def said_by(rows: Sequence[Row], name: str) -> list[Row]:
    """Give the properties of the touchpoints called `name`, without the context."""
    return [
        {key: value for key, value in row["properties"].items() if key != "context"}
        for row in rows
        if row["name"] == name
    ]


async def put_into_the_cart(page: Page) -> None:
    """Go from the list to the cart."""
    await page.click("#oak")
    await page.click("#add")
    await page.wait_for_url("**/cart.html")


async def begin_checkout(page: Page) -> None:
    """Go on to the checkout and fill in the first field."""
    await page.click("#checkout")
    await page.fill("[name=full_name]", "Ada Lovelace")


async def order(page: Page) -> None:
    """Fill in the rest, and send."""
    await page.fill("[name=street]", "Ockham Park 1")
    await page.click("text=Order and pay")
    await page.wait_for_url("**/order.html")


PURCHASE = [
    *("Page Viewed", "Product Viewed", "Product Added"),
    *("Page Viewed", "Cart Viewed"),
    *("Page Viewed", "Checkout Started", "Form Started", "Form Submitted"),
    *("Page Viewed", "Order Completed"),
]
"""What `put_into_the_cart`, `begin_checkout` and `order` leave behind."""
