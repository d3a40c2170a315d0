"""PURE: one simulated person, who does one thing after the other; each produces a call."""

from datetime import datetime, timedelta
from random import Random
from typing import Any

from pipeline.demo.simulation.shop import (
    DIRECT,
    SHOP,
    USER_AGENTS,
    WEBSITE,
    Page,
    Product,
    Source,
)
from schemas.fields import Channel
from schemas.times import whole

Call = dict[str, Any]
"""A call of Segment's tracking API; its `timestamp` is a datetime."""

_CURRENCY = "EUR"


class Shopper:
    """Somebody with a device, a clock and a bag; `calls` is what they did, in order."""

    def __init__(self, rng: Random, arrives_at: datetime, persona: str) -> None:
        self.rng = rng
        self.calls: list[Call] = []
        self.bag: list[tuple[Product, int]] = []
        self.agent = rng.choice(USER_AGENTS)
        self._now = whole(arrives_at)
        self._persona = persona
        self._anonymous_id = self._id()
        self._user_id = ""
        self._order_id = ""
        self._source = DIRECT
        self._page: dict[str, str] = {}

    def decides(self, chance: float) -> bool:
        """Tell whether this person does what the share `chance` of all people do."""
        return self.rng.random() < chance

    def wait(self, *, minutes: tuple[float, float]) -> None:
        """Let a time between the two bounds pass."""
        shortest, longest = minutes
        self._pass(60 * shortest, 60 * longest)

    def come_from(self, source: Source) -> None:
        """Begin a visit: `source` leads to its first page."""
        self._source, self._page = source, {}

    def open(self, page: Page) -> None:
        """Look at a page of the website."""
        self._open(WEBSITE, page, "website")

    def open_in_shop(self, page: Page) -> None:
        """Look at a page of the shop."""
        self._open(SHOP, page, "shop")

    def look_at(self, product: Product) -> None:
        """Look at a product."""
        self.open_in_shop(product.page)
        self.do("Product Viewed", **_described(product))

    def put_into_bag(self, product: Product, quantity: int) -> None:
        """Add a product to the cart."""
        self.bag.append((product, quantity))
        self.do("Product Added", **_described(product), quantity=quantity)

    def introduce(self) -> None:
        """Become known to the shop, without a call."""
        self._user_id = self._user_id or f"kunde-{self.rng.getrandbits(32):08x}"

    def identify(self) -> None:
        """Log in."""
        self.introduce()
        self._in_browser("identify", traits={"email": f"{self._user_id}@post.example"})

    def order(self) -> None:
        """Order what is in the bag."""
        self._order_id = f"W{self.rng.randrange(10**8):08d}"
        self.do("Order Completed", order_id=self._order_id, **self.value_of_bag())
        self.bag = []

    def value_of_bag(self) -> dict[str, Any]:
        """Return the properties that carts, checkouts and orders share."""
        products = [_described(product) | {"quantity": count} for product, count in self.bag]
        value = sum(product.price * count for product, count in self.bag)
        return {"revenue": round(value, 2), "currency": _CURRENCY, "products": products}

    def do(self, event: str, **properties: Any) -> None:
        """Do something in the browser, on the page that is open."""
        self._in_browser("track", event=event, properties=properties)

    def meet(self, event: str, channel: Channel, **properties: Any) -> None:
        """Record what happens elsewhere: a mail server, a driver or a shop assistant reports it."""
        order = {"order_id": self._order_id} if self._order_id else {}
        context = {"channel": channel}
        self._note("track", context, event=event, properties=order | properties)

    def _open(self, host: str, page: Page, channel: Channel) -> None:
        query = f"?{self._source.query}" if self._source.query else ""
        referrer = self._page.get("url", self._source.referrer)
        self._page = {"url": f"{host}{page.path}{query}", "title": page.title, "referrer": referrer}
        self._source = DIRECT
        self._in_browser("page", channel=channel)

    def _in_browser(self, kind: str, *, channel: Channel | None = None, **parts: Any) -> None:
        context: dict[str, Any] = {"userAgent": self.agent, "locale": "de-DE", "page": self._page}
        self._note(kind, context | ({"channel": channel} if channel else {}), **parts)

    def _note(self, kind: str, context: dict[str, Any], **parts: Any) -> None:
        call = {
            "type": kind,
            "messageId": self._id(),
            "anonymousId": self._anonymous_id,
            "timestamp": self._now,
            "context": context | {"traits": {"persona": self._persona}},
        }
        known = {"userId": self._user_id} if self._user_id else {}
        self.calls.append(call | known | parts)
        self._pass(3, 40)

    def _pass(self, shortest: float, longest: float) -> None:
        self._now += timedelta(milliseconds=round(1000 * self.rng.uniform(shortest, longest)))

    def _id(self) -> str:
        return f"{self.rng.getrandbits(64):016x}"


def _described(product: Product) -> dict[str, Any]:
    return {
        "product_id": product.sku,
        "name": product.name,
        "category": product.category,
        "price": product.price,
        "currency": _CURRENCY,
    }
