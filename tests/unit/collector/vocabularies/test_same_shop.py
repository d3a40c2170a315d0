"""The same visit to the same shop, as each family's client sends it: all must come to the same.

Somebody looks at an oak table, puts two and a pine chair into the cart, takes one table out again,
goes to the checkout, orders, and is refunded. Where a family has no word for a step (Matomo's
checkout, what Umami's page sends), it is the custom event that its documentation advises.
Customer.io's clients send what Segment's do.
"""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import pytest

from pipeline.operations.oracle import expected_tables
from schemas.codec import Tick, encode
from schemas.topics import RAW
from tests.support.journeys import RULES
from tests.support.tracker import Log
from tests.support.vocabularies import NOON, Taken, send

AGENT = "Mozilla/5.0 (X11; Linux x86_64) Firefox/146.0"
MINUTE = timedelta(minutes=1)
PAGE = "https://shop.example/"
EUR = {"currency": "EUR"}
STEPS = ("view", "add", "remove", "checkout", "order", "refund")

Product = dict[str, Any]
Send = Callable[[str, list[Product], timedelta], list[Taken]]


def oak(quantity: int) -> Product:
    return {"id": "oak", "name": "Oak table", "price": 10.0, "quantity": quantity}


PINE = {"id": "pine", "name": "Pine chair", "price": 5.5, "quantity": 1}
GOODS = {
    "view": [oak(1)],
    "add": [oak(2), PINE],
    "remove": [oak(1)],
    "checkout": [oak(1), PINE],
    "order": [oak(1), PINE],
    "refund": [oak(1), PINE],
}
SEGMENT = {
    "view": "Product Viewed",
    "add": "Product Added",
    "remove": "Product Removed",
    "checkout": "Checkout Started",
    "order": "Order Completed",
    "refund": "Order Refunded",
}


GA4 = {
    "view": "view_item",
    "add": "add_to_cart",
    "remove": "remove_from_cart",
    "checkout": "begin_checkout",
    "order": "purchase",
    "refund": "refund",
}


def worth(goods: list[Product]) -> float:
    return float(sum(each["price"] * each["quantity"] for each in goods))


def as_segment(step: str, goods: list[Product]) -> list[tuple[str, dict[str, Any]]]:
    """Give name and properties as Segment's specification has them, a product for each addition."""
    products = [
        {("product_id" if name == "id" else name): value for name, value in each.items()}
        for each in goods
    ]
    if step in ("view", "add", "remove"):
        return [(SEGMENT[step], each | EUR) for each in products]
    told = {"products": products, **EUR}
    if step == "checkout":
        return [(SEGMENT[step], told | {"value": worth(goods)})]
    return [(SEGMENT[step], told | {"order_id": "o-1", "revenue": worth(goods)})]


def post(path: str, body: Any, later: timedelta) -> Taken:
    return send("POST", path, json.dumps(body).encode(), AGENT, later=later)


def segment(step: str, goods: list[Product], later: timedelta) -> list[Taken]:
    return [
        post("/v1/track", {"event": name, "anonymousId": "a", "properties": told}, later)
        for name, told in as_segment(step, goods)
    ]


def beacon(step: str, goods: list[Product], later: timedelta) -> list[Taken]:
    calls = [
        {"type": "track", "event": name, "anonymousId": "a", "properties": told}
        for name, told in as_segment(step, goods)
    ]
    return [post("/v1/batch", {"writeKey": "k", "batch": calls}, later)]


def rudderstack(step: str, goods: list[Product], later: timedelta) -> list[Taken]:
    calls = [
        {"type": "track", "event": name, "anonymousId": "a", "properties": told, "channel": "web"}
        for name, told in as_segment(step, goods)
    ]
    return [post("/beacon/v1/batch?writeKey=k", {"batch": calls}, later)]


def posthog(step: str, goods: list[Product], later: timedelta) -> list[Taken]:
    return [
        post(
            "/e/",
            {"api_key": "k", "event": name, "distinct_id": "a", "properties": told},
            later,
        )
        for name, told in as_segment(step, goods)
    ]


def umami(step: str, goods: list[Product], later: timedelta) -> list[Taken]:
    return [
        post(
            "/api/send",
            {"type": "event", "payload": {"website": "k", "url": "/", "name": name, "data": told}},
            later,
        )
        for name, told in as_segment(step, goods)
    ]


def plausible(step: str, goods: list[Product], later: timedelta) -> list[Taken]:
    """The shop plug-in's goals; a view and a refund are custom events."""
    names = {
        "Product Added": "Woo Add to Cart",
        "Product Removed": "Woo Remove from Cart",
        "Checkout Started": "Woo Start Checkout",
        "Order Completed": "Woo Complete Purchase",
    }
    sent = []
    for name, told in as_segment(step, goods):
        body = {"n": names.get(name, name), "u": PAGE, "d": "k", "p": told}
        if step in ("order", "refund"):
            body["$"] = {"amount": told.pop("revenue"), "currency": told.pop("currency")}
        sent.append(post("/api/event", body, later))
    return sent


def ga4(step: str, goods: list[Product], later: timedelta) -> list[Taken]:
    """All products of a step in one event, as `items`."""
    items = [
        {"item_id": g["id"], "item_name": g["name"], "price": g["price"], "quantity": g["quantity"]}
        for g in goods
    ]
    params = {"items": items, "value": worth(goods), **EUR}
    if step in ("order", "refund"):
        params["transaction_id"] = "o-1"
    event = {"name": GA4[step], "params": params}
    body = {"client_id": "a", "events": [event]}
    return [post("/mp/collect?measurement_id=k", body, later)]


IGLU = "iglu:com.snowplowanalytics.snowplow"


def described(schema: str, data: Any) -> dict[str, Any]:
    return {"schema": f"{schema}/jsonschema/1-0-0", "data": data}


def self_describing(event: Any, entities: list[Any], later: timedelta) -> list[Taken]:
    sent = {
        "e": "ue",
        "aid": "k",
        "duid": "a",
        "ue_pr": json.dumps(described(f"{IGLU}/unstruct_event", event)),
        "co": json.dumps(described(f"{IGLU}/contexts", entities)),
    }
    return [post("/com.snowplowanalytics.snowplow/tp2", {"data": [sent]}, later)]


def snowplow(step: str, goods: list[Product], later: timedelta) -> list[Taken]:
    """The e-commerce plug-in: an action, and entities for products, cart and transaction."""
    names = {
        "view": "product_view",
        "add": "add_to_cart",
        "remove": "remove_from_cart",
        "checkout": "checkout_step",
        "order": "transaction",
        "refund": "refund",
    }
    own = f"{IGLU}.ecommerce"
    entities = [described(f"{own}/product", each | EUR) for each in goods]
    if step == "checkout":
        entities.append(described(f"{own}/checkout_step", {"step": 1}))
    if step == "order":
        order = {"transaction_id": "o-1", "revenue": worth(goods), **EUR}
        entities.append(described(f"{own}/transaction", order))
    if step == "refund":
        refund = {"transaction_id": "o-1", "refund_amount": worth(goods), **EUR}
        entities.append(described(f"{own}/refund", refund))
    event = described(f"{own}/snowplow_ecommerce_action", {"type": names[step]})
    return self_describing(event, entities, later)


def snowplow_of_old(step: str, goods: list[Product], later: timedelta) -> list[Taken]:
    """Google's older enhanced e-commerce, as Snowplow's older plug-in has it."""
    names = {
        "view": "detail",
        "add": "add",
        "remove": "remove",
        "checkout": "checkout",
        "order": "purchase",
        "refund": "refund",
    }
    own = "iglu:com.google.analytics.enhanced-ecommerce"
    entities = [described(f"{own}/productFieldObject", each | EUR) for each in goods]
    if step in ("order", "refund"):
        order = {"id": "o-1", "revenue": str(worth(goods)), **EUR}
        entities.append(described(f"{own}/actionFieldObject", order))
    return self_describing(described(f"{own}/action", {"type": names[step]}), entities, later)


def matomo(step: str, goods: list[Product], later: timedelta) -> list[Taken]:
    """The whole cart at each change of it; a checkout is a custom event, a refund unknown."""
    items = json.dumps([[g["id"], g["name"], "", g["price"], g["quantity"]] for g in goods])
    worth_it = str(worth(goods))
    told = {
        "view": {"_pks": "oak", "_pkn": "Oak table", "_pkp": "10"},
        "add": {"idgoal": "0", "revenue": worth_it, "ec_items": items},
        "remove": {
            "idgoal": "0",
            "revenue": "15.5",
            "ec_items": json.dumps(
                [["oak", "Oak table", "", 10, 1], ["pine", "Pine chair", "", 5.5, 1]]
            ),
        },
        "checkout": {"e_c": "Shop", "e_a": "Checkout Started"},
        "order": {"idgoal": "0", "ec_id": "o-1", "revenue": worth_it, "ec_items": items},
    }.get(step)
    if told is None:
        return []
    query = urlencode({"idsite": "k", "rec": "1", "_id": "a", "url": PAGE} | told)
    return [send("GET", f"/matomo.php?{query}", b"", AGENT, later=later)]


def jitsu(step: str, goods: list[Product], later: timedelta) -> list[Taken]:
    return [
        post(
            "/api/s/track?writekey=k",
            {"type": "track", "event": name, "anonymousId": "a", "properties": told},
            later,
        )
        for name, told in as_segment(step, goods)
    ]


def gtag(step: str, goods: list[Product], later: timedelta) -> list[Taken]:
    """GA4's event as a browser sends it: parameters, and an item as `id..~nm..~pr..~qt..`."""
    event = GA4[step]
    told: dict[str, Any] = {"v": "2", "tid": "k", "cid": "a", "dl": PAGE, "en": event, "cu": "EUR"}
    told["epn.value"] = worth(goods)
    if step in ("order", "refund"):
        told["ep.transaction_id"] = "o-1"
    for number, each in enumerate(goods, 1):
        said = (("id", "id"), ("nm", "name"), ("pr", "price"), ("qt", "quantity"))
        told[f"pr{number}"] = "~".join(f"{short}{each[name]}" for short, name in said)
    return [send("POST", f"/g/collect?{urlencode(told)}", b"", AGENT, later=later)]


def mixpanel(step: str, goods: list[Product], later: timedelta) -> list[Taken]:
    events = [
        {"event": name, "properties": {"token": "k", "$device_id": "a", **told}}
        for name, told in as_segment(step, goods)
    ]
    form = urlencode({"data": json.dumps(events)}).encode()
    return [send("POST", "/track/?verbose=1", form, AGENT, later=later)]


def amplitude(step: str, goods: list[Product], later: timedelta) -> list[Taken]:
    """An order's money as its SDKs' `revenue` has it; all else are custom events."""
    events = []
    for name, told in as_segment(step, goods):
        if "revenue" in told:
            told["$revenue"], told["$currency"] = told.pop("revenue"), told.pop("currency")
        events.append({"event_type": name, "device_id": "a", "event_properties": told})
    return [post("/2/httpapi", {"api_key": "k", "events": events}, later)]


def openpanel(step: str, goods: list[Product], later: timedelta) -> list[Taken]:
    """An order's money as its SDKs' `revenue` has it; all else are custom events."""
    sent = []
    for name, told in as_segment(step, goods):
        if "revenue" in told:
            told["__revenue"] = told.pop("revenue")
        payload = {"name": name, "properties": {"__path": PAGE, **told}}
        body = json.dumps({"type": "track", "payload": payload}).encode()
        headers = {"openpanel-client-id": "k"}
        sent.append(send("POST", "/track", body, AGENT, headers=headers, later=later))
    return sent


FAMILIES: dict[str, Send] = {
    "beacon": beacon,
    "segment": segment,
    "rudderstack": rudderstack,
    "posthog": posthog,
    "umami": umami,
    "plausible": plausible,
    "ga4": ga4,
    "snowplow": snowplow,
    "snowplow of old": snowplow_of_old,
    "matomo": matomo,
    "jitsu": jitsu,
    "gtag": gtag,
    "mixpanel": mixpanel,
    "amplitude": amplitude,
    "openpanel": openpanel,
}
NO_CURRENCY = {"matomo"}
NO_REFUND = {"matomo"}


def visited(family: str, *steps: str) -> dict[str, list[dict[str, Any]]]:
    """Give the tables after a visit, and five hours of silence."""
    taken = [
        (each, number * MINUTE)
        for number, step in enumerate(steps)
        for each in FAMILIES[family](step, GOODS[step], number * MINUTE)
    ]
    return tables_of(taken)


def tables_of(sent: list[tuple[Taken, timedelta]]) -> dict[str, list[dict[str, Any]]]:
    log = Log()
    for taken, later in sent:
        assert [] == taken.collected.refused
        for value in taken.values(RAW.name):
            log.say(value, int((NOON + later).timestamp() * 1000))
    end = NOON + timedelta(hours=5)
    log.add(encode(Tick(tick=end)), int(end.timestamp() * 1000))
    tables = expected_tables([log.records], RULES)
    return {table: list(rows.values()) for table, rows in tables.items()}


@pytest.mark.parametrize("family", FAMILIES)
def test_what_is_left_in_the_cart_is_the_same(family: str) -> None:
    left = visited(family, *STEPS[:4])["abandonments"]
    [checkout] = [row for row in left if row["kind"] == "checkout"]
    contents = {
        line["product_id"]: (line["name"], line["quantity"], line["price"])
        for line in checkout["contents"]
    }
    assert {"oak": ("Oak table", 1, 10.0), "pine": ("Pine chair", 1, 5.5)} == contents
    assert (2, 15.5) == (checkout["items"], checkout["value"])
    assert ("" if family in NO_CURRENCY else "EUR") == checkout["currency"]
    assert [] == [row["kind"] for row in left if row["kind"] in ("browse", "cart")]


@pytest.mark.parametrize("family", FAMILIES)
def test_the_funnel_and_the_revenue_are_the_same(family: str) -> None:
    tables = visited(family, *STEPS[:5])
    [session] = tables["sessions"]
    funnel = ["Product Viewed", "Product Added", "Checkout Started", "Order Completed"]
    assert (funnel, 1, 15.5) == (session["steps"], session["orders_told"], session["revenue_told"])
    [order] = [row for row in tables["touchpoints"] if row["name"] == "Order Completed"]
    assert ("o-1", 15.5, "") == (order["order_id"], order["revenue"], order["money_problem"])
    assert ("" if family in NO_CURRENCY else "EUR") == order["currency"]
    lost = {"browse", "cart", "checkout"}
    assert [] == [row["kind"] for row in tables["abandonments"] if row["kind"] in lost]


@pytest.mark.parametrize("price", [12.345, 0.0005, 0.0125])
@pytest.mark.parametrize("family", FAMILIES)
def test_less_than_a_cent_is_never_nothing(family: str, price: float) -> None:
    a_piece = {"id": "oak", "name": "Oak table", "price": price, "quantity": 1}
    sent = [(each, MINUTE) for each in FAMILIES[family]("order", [a_piece], MINUTE)]
    rows = tables_of(sent)["touchpoints"]
    [order] = [row for row in rows if row["name"] == "Order Completed"]
    assert (price, "") == (order["revenue"], order["money_problem"])


@pytest.mark.parametrize("family", sorted(set(FAMILIES) - NO_REFUND))
def test_what_is_refunded_is_the_same(family: str) -> None:
    rows = visited(family, *STEPS)["touchpoints"]
    [refund] = [row for row in rows if row["name"] == "Order Refunded"]
    assert ("o-1", 15.5, "EUR") == (refund["order_id"], refund["revenue"], refund["currency"])


def test_a_cart_that_matomo_says_is_empty_is_empty() -> None:
    query = urlencode({"idsite": "k", "_id": "a", "idgoal": "0", "revenue": "0", "ec_items": "[]"})
    [touchpoint] = send("GET", f"/matomo.php?{query}", b"", AGENT).touchpoints
    assert "Product Removed" == touchpoint["name"]
    told = {name: touchpoint["properties"][name] for name in ("products", "is_whole_cart")}
    assert {"products": [], "is_whole_cart": True} == told


def test_snowplows_mobile_tracker_names_the_device_in_its_session() -> None:
    session = described(f"{IGLU}/client_session", {"userId": "phone-1", "sessionId": "s"})
    event = described("iglu:com.example/tapped", {})
    sent = {
        "e": "ue",
        "aid": "k",
        "tnuid": "network-1",
        "ue_pr": json.dumps(described(f"{IGLU}/unstruct_event", event)),
        "co": json.dumps(described(f"{IGLU}/contexts", [session])),
    }
    body = {"data": [sent]}
    [touchpoint] = post("/com.snowplowanalytics.snowplow/tp2", body, timedelta()).touchpoints
    assert "phone-1" == touchpoint["anonymous_id"]


def test_an_action_of_snowplow_without_a_type_is_named_by_its_schema() -> None:
    action = described(f"{IGLU}.ecommerce/snowplow_ecommerce_action", {"name": "x"})
    [taken] = self_describing(action, [], timedelta())
    assert "snowplow_ecommerce_action" == taken.touchpoints[0]["name"]
