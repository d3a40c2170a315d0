"""The exports of other products, by the mappings that ship: GA4 in BigQuery, and Snowplow."""

from datetime import UTC, datetime
from typing import Any

import msgspec

from pipeline.importer.mapping import parse_mapping
from pipeline.importer.rows import RowIds, touchpoint_of
from pipeline.importer.send import load_mapping
from schemas.touchpoint import Touchpoint
from tests.support.puffy import MAPPINGS

NOW = datetime(2026, 1, 1, tzinfo=UTC)
SNOWPLOW = "com_snowplowanalytics_snowplow"


def read(name: str, row: dict[str, Any]) -> Touchpoint:
    mapping = load_mapping(MAPPINGS / f"{name}.toml")
    row_id = RowIds(mapping).next(row)
    return touchpoint_of(row, mapping, site="shop", row_id=row_id, now=NOW)


def properties(touchpoint: Touchpoint) -> dict[str, Any]:
    return msgspec.json.decode(touchpoint.properties, type=dict[str, Any])


def ga4(name: str, **more: Any) -> dict[str, Any]:
    params = {"page_location": "https://shop.example/p?utm_source=news", "page_title": "Lamp"}
    return {
        "event_timestamp": "1740268801750123",
        "event_name": name,
        "user_pseudo_id": "1740268798.55",
        "device": {"category": "mobile", "language": "de-de"},
        "event_params": [
            *({"key": key, "value": {"string_value": word}} for key, word in params.items()),
            {"key": "ga_session_number", "value": {"string_value": None, "int_value": "3"}},
        ],
        **more,
    }


def test_a_page_view_of_ga4_has_its_page_from_the_parameters() -> None:
    seen = read("ga4", ga4("page_view"))
    assert (seen.name, seen.type, seen.anonymous_id) == ("Page Viewed", "page", "1740268798.55")
    assert seen.occurred_at == datetime(2025, 2, 23, 0, 0, 1, 750_000, tzinfo=UTC)
    assert (seen.url, seen.title, seen.locale) == (
        "https://shop.example/p?utm_source=news",
        "Lamp",
        "de-de",
    )
    assert properties(seen)["ga_session_number"] == "3"


def test_a_purchase_of_ga4_is_an_order_with_its_products() -> None:
    items = [{"item_id": "sku", "item_name": "Lamp", "price": 20.0, "quantity": 2}]
    bought = read(
        "ga4",
        ga4(
            "purchase",
            ecommerce={"transaction_id": "o-1", "purchase_revenue": 40.0},
            items=items,
        ),
    )
    said = properties(bought)
    assert (bought.name, bought.channel) == ("Order Completed", "shop")
    assert (said["order_id"], said["revenue"]) == ("o-1", 40.0)
    assert said["products"] == [{"product_id": "sku", "name": "Lamp", "price": 20.0, "quantity": 2}]


def snowplow(name: str, **more: Any) -> dict[str, Any]:
    return {
        "event_id": "e-1",
        "collector_tstamp": "2025-02-23T00:00:02Z",
        "derived_tstamp": "2025-02-23 00:00:01.750",
        "event": "unstruct",
        "event_name": name,
        "domain_userid": "d-1",
        "page_url": "https://shop.example/p",
        **more,
    }


def test_a_page_view_of_snowplow_keeps_its_id_and_its_device() -> None:
    seen = read("snowplow", snowplow("page_view"))
    assert (seen.touchpoint_id, seen.name, seen.anonymous_id) == ("e-1", "Page Viewed", "d-1")
    assert seen.occurred_at == datetime(2025, 2, 23, 0, 0, 1, 750_000, tzinfo=UTC)


def test_a_mobile_tracker_of_snowplow_names_the_device_in_its_session() -> None:
    context = {f"contexts_{SNOWPLOW}_client_session_1": '[{"userId": "phone-1"}]'}
    row = snowplow("screen_view", domain_userid=None, network_userid="shared", **context)
    assert read("snowplow", row).anonymous_id == "phone-1"


def test_an_action_of_snowplow_is_named_by_its_type_with_all_products() -> None:
    products = [{"id": "a", "price": 5, "quantity": 1}, {"id": "b", "price": 7, "quantity": 2}]
    added = read(
        "snowplow",
        snowplow(
            "snowplow_ecommerce_action",
            **{
                f"unstruct_event_{SNOWPLOW}_ecommerce_snowplow_ecommerce_action_1": {
                    "type": "add_to_cart"
                },
                f"contexts_{SNOWPLOW}_ecommerce_product_1": products,
            },
        ),
    )
    assert added.name == "Product Added"
    assert [one["product_id"] for one in properties(added)["products"]] == ["a", "b"]


def test_a_transaction_of_snowplow_is_an_order() -> None:
    transaction = [{"transaction_id": "o-1", "revenue": 40, "currency": "EUR"}]
    bought = read(
        "snowplow",
        snowplow(
            "snowplow_ecommerce_action",
            **{
                f"unstruct_event_{SNOWPLOW}_ecommerce_snowplow_ecommerce_action_1": {
                    "type": "transaction"
                },
                f"contexts_{SNOWPLOW}_ecommerce_transaction_1": transaction,
            },
        ),
    )
    said = properties(bought)
    assert bought.name == "Order Completed"
    assert (said["order_id"], said["revenue"], said["currency"]) == ("o-1", 40, "EUR")


def test_a_rule_can_ask_for_a_key_inside_of_json() -> None:
    mapping = parse_mapping(
        """
        channel = "shop"
        json_columns = ["data"]
        [columns]
        occurred_at = "at"
        anonymous_id = "who"
        [[events]]
        where = { "data.kind" = "sale" }
        name = "Order Completed"
        [[events]]
        where = { kind = "look" }
        name = "Product Viewed"
        [[events]]
        name = "Page Viewed"
        """,
        "m.toml",
    )
    rows = [
        {"at": "2025-01-01", "who": "a", "data": data} for data in ('{"kind":"look"}', "", "{}")
    ]
    names = [touchpoint_of(row, mapping, site="s", row_id="r", now=NOW).name for row in rows]
    assert names == ["Product Viewed", "Page Viewed", "Page Viewed"]
