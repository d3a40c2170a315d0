"""PURE: the kinds of visitors, and what each kind does."""

from collections.abc import Callable
from typing import NamedTuple

from pipeline.demo.simulation.shop import (
    BOT,
    CART,
    CATEGORIES,
    CHECKOUT,
    DIRECT,
    GOOGLE,
    HELP,
    HOME,
    MAGAZINE,
    NEWSLETTER,
    PRODUCTS,
    SOURCES,
    STORES,
    THANKS,
    Page,
    Product,
)
from pipeline.demo.simulation.shopper import Shopper

_CAMPAIGN = {"campaign_id": "2025-herbst", "campaign_name": "Herbst"}


def bouncer(one: Shopper) -> None:
    """Looks at one page and leaves."""
    if one.decides(0.3):
        one.meet("Ad Clicked", "ads", campaign_name="Herbst")
    one.come_from(one.rng.choice(SOURCES))
    one.open(one.rng.choice((HOME, MAGAZINE)))


def window_shopper(one: Shopper) -> None:
    """Looks at products and leaves; some look again within hours."""
    one.come_from(one.rng.choice(SOURCES))
    _look_around(one, most=6)
    if one.decides(0.2):
        one.wait(minutes=(40, 120))
        one.come_from(DIRECT)
        _look_around(one, most=4)


def searcher(one: Shopper) -> None:
    """Finds the shop through a search engine, compares, and buys."""
    one.come_from(GOOGLE)
    _look_around(one, most=7)
    _fill_bag(one)
    _check_out(one)


def newsletter_reader(one: Shopper) -> None:
    """Gets the newsletter; some open it, some click, some buy and write a review."""
    one.introduce()
    one.meet("Email Delivered", "newsletter", **_CAMPAIGN)
    one.wait(minutes=(2, 40))
    if not one.decides(0.6):
        _unsubscribe(one)
        return
    one.meet("Email Opened", "newsletter", **_CAMPAIGN)
    if not one.decides(0.7):
        return
    one.meet("Email Link Clicked", "newsletter", **_CAMPAIGN)
    one.come_from(NEWSLETTER)
    one.open(MAGAZINE)
    _look_around(one, most=5)
    if one.decides(0.2):
        _fill_bag(one)
        _check_out(one)
        _receive(one)
        _review(one)


def cart_abandoner(one: Shopper) -> None:
    """Puts something into the cart and leaves it there; a mail brings some back."""
    one.come_from(one.rng.choice(SOURCES))
    _look_around(one, most=6)
    _fill_bag(one)
    if one.decides(0.15):
        one.wait(minutes=(60, 150))
        one.come_from(NEWSLETTER)
        _check_out(one)


def checkout_abandoner(one: Shopper) -> None:
    """Gives up at the checkout; half of them come back within hours and buy."""
    one.come_from(one.rng.choice(SOURCES))
    _look_around(one, most=5)
    _fill_bag(one)
    _start_checkout(one)
    if one.decides(0.4):
        _be_hindered(one)
    if one.decides(0.5):
        one.wait(minutes=(45, 100))
        one.come_from(DIRECT)
        _check_out(one)


def loyal_customer(one: Shopper) -> None:
    """Buys, comes back for more, and recommends the shop."""
    one.come_from(DIRECT)
    one.open(HOME)
    one.identify()
    for _ in range(2):
        _look_around(one, most=5)
        _fill_bag(one)
        _check_out(one)
        one.wait(minutes=(60, 90))
        one.come_from(NEWSLETTER)
    one.meet("Recommendation Made", "messenger")


def complainer(one: Shopper) -> None:
    """Buys, is disappointed, says so, and sends it back."""
    searcher(one)
    _receive(one)
    one.come_from(DIRECT)
    one.open(HELP)
    one.meet("Support Contacted", one.rng.choice(("phone", "chat")), topic="delivery")
    one.meet("Complaint Made", "support", topic=one.rng.choice(("damaged", "late", "wrong size")))
    if one.decides(0.5):
        one.meet("Return Requested", "support")


def asker(one: Shopper) -> None:
    """Uses the contact form; some stop at the telephone number, and some of those come back."""
    one.come_from(GOOGLE)
    one.open(HELP)
    one.do("Form Started", form="contact", field="name")
    if one.decides(0.5):
        one.do("Form Left", form="contact", field="phone")
        if one.decides(0.7):
            return
        one.wait(minutes=(40, 90))
        one.come_from(DIRECT)
        one.open(HELP)
    one.do("Form Submitted", form="contact")


def crawler(one: Shopper) -> None:
    """Is not a person: follows every link."""
    one.agent = BOT
    one.open(HOME)
    for category in CATEGORIES:
        _look_through(one, category)


def store_visitor(one: Shopper) -> None:
    """Finds a product at home, orders it, and picks it up in the store."""
    one.come_from(GOOGLE)
    one.open(STORES)
    _look_around(one, most=5)
    if one.decides(0.3):
        one.meet("Store Visited", "store", store="Leipzig")
        one.wait(minutes=(15, 25))
    _fill_bag(one)
    _check_out(one, shipping_method="click and collect")
    one.wait(minutes=(50, 120))
    one.meet("Store Visited", "store", store="Leipzig")
    one.meet("Order Picked Up", "store", store="Leipzig")


def survey_answerer(one: Shopper) -> None:
    """Buys, and says how it went."""
    searcher(one)
    _receive(one)
    score, stars = (
        one.rng.choices((10, 9, 8, 7, 5, 2), (6, 6, 4, 3, 2, 2))[0],
        one.rng.randint(2, 5),
    )
    one.meet("Survey Answered", "survey", survey="nps", score=score)
    one.meet("Survey Answered", "survey", survey="csat", score=stars)


class Persona(NamedTuple):
    """A kind of visitor: the segment it is in, what it does, and its share in percent.

    The name tells nothing: what its people do is for the pipeline to find out.
    """

    name: str
    live: Callable[[Shopper], None]
    share: int


PERSONAS = (
    Persona("Group A", window_shopper, 57),
    Persona("Group B", bouncer, 20),
    Persona("Group C", newsletter_reader, 8),
    Persona("Group D", cart_abandoner, 5),
    Persona("Group E", checkout_abandoner, 2),
    Persona("Group F", searcher, 1),
    Persona("Group G", store_visitor, 1),
    Persona("Group H", asker, 1),
    Persona("Group I", crawler, 2),
    Persona("Group J", loyal_customer, 1),
    Persona("Group K", survey_answerer, 1),
    Persona("Group L", complainer, 1),
)
"""Of those who look at a product, about one in six fills a cart: in a usual shop it is one in ten.

So a demo of minutes, too, has carts that are left behind.
"""


def _look_through(one: Shopper, category: str) -> None:
    one.open_in_shop(Page(f"/{category}", CATEGORIES[category]))
    one.do("Product List Viewed", list_id=category, category=category)


def _look_around(one: Shopper, most: int) -> None:
    products = one.rng.sample(PRODUCTS, one.rng.randint(1, most))
    _look_through(one, products[0].category)
    for product in products:
        one.look_at(product)


def _fill_bag(one: Shopper) -> None:
    for product in _chosen(one):
        one.put_into_bag(product, 2 if product.price < 30 and one.decides(0.3) else 1)  # noqa: PLR2004


def _chosen(one: Shopper) -> list[Product]:
    return one.rng.sample(PRODUCTS, 2 if one.decides(0.25) else 1)


def _start_checkout(one: Shopper) -> None:
    one.open_in_shop(CART)
    one.do("Cart Viewed", **one.value_of_bag())
    one.do("Checkout Started", **one.value_of_bag())
    one.open_in_shop(CHECKOUT)
    one.do("Checkout Step Viewed", step=1)


def _check_out(one: Shopper, shipping_method: str = "DHL") -> None:
    _start_checkout(one)
    one.identify()
    one.do("Checkout Step Viewed", step=2, shipping_method=shipping_method)
    one.do("Payment Info Entered", step=3, payment_method=one.rng.choice(("invoice", "card")))
    one.order()
    one.open_in_shop(THANKS)


def _be_hindered(one: Shopper) -> None:
    trouble = one.rng.choice(("Payment Failed", "Script Error", "Page Slow"))
    one.do(trouble, **({"payment_method": "card"} if trouble == "Payment Failed" else {}))


def _unsubscribe(one: Shopper) -> None:
    if one.decides(0.2):
        one.meet("Unsubscribed", "newsletter", **_CAMPAIGN)
        one.wait(minutes=(5, 60))
        if one.decides(0.3):
            one.meet("Newsletter Subscribed", "website")


def _receive(one: Shopper) -> None:
    one.wait(minutes=(30, 60))
    one.meet("Order Shipped", "delivery")
    one.wait(minutes=(60, 120))
    one.meet("Order Delivered", "delivery")
    one.wait(minutes=(10, 40))


def _review(one: Shopper) -> None:
    one.meet("Product Reviewed", "review", rating=one.rng.randint(3, 5))
