import sys

from snowplow_tracker import (
    Emitter,
    PageView,
    SelfDescribing,
    SelfDescribingJson,
    StructuredEvent,
    Subject,
    Tracker,
)

PRODUCT = {"id": "chair", "price": 119.9, "currency": "EUR", "quantity": 2}
SHOP = "iglu:com.snowplowanalytics.snowplow.ecommerce"

for method in ("get", "post"):
    emitter = Emitter(sys.argv[1].removeprefix("http://"), protocol="http", method=method)
    subject = Subject().set_user_id("u-1").set_domain_user_id("d-1")
    tracker = Tracker(method, emitter, subject=subject, app_id=f"wk_snowplow_python_{method}")
    tracker.track(PageView("https://shop.example/products/chair", "Chair"))
    tracker.track(StructuredEvent("filter", "Colour Chosen", label="colour", value=1))
    action = SelfDescribingJson(
        f"{SHOP}/snowplow_ecommerce_action/jsonschema/1-0-2", {"type": "add_to_cart"}
    )
    product = SelfDescribingJson(f"{SHOP}/product/jsonschema/1-0-0", PRODUCT)
    tracker.track(SelfDescribing(action, context=[product]))
    tracker.flush()
