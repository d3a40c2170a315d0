"""Enrichment and evidence are made by position: each value must stand where its name stands."""

import json

from msgspec.structs import asdict

from pipeline.journey.traffic import TrafficRules
from pipeline.tracker.commerce import read_commerce
from pipeline.tracker.enrich import enrich, read_url, read_user_agent
from pipeline.tracker.progress import read_progress
from pipeline.tracker.turn import turn
from schemas.codec import decode_touchpoint
from schemas.traffic import load_sources
from tests.support.journeys import NOON
from tests.support.tracker import touchpoint

ORDER = {"order_id": "A-7", "revenue": 12.5, "currency": "EUR", "products": [{"quantity": 3}]}
VIEW = {"product_id": "p-1", "name": "Pillow", "price": 49, "currency": "CHF", "country": "AT"}
URL = (
    "https://shop.example/pillow?utm_source=letter&utm_medium=email&utm_campaign=spring"
    "&utm_term=soft&utm_content=top&gclid=click-1"
)
REFERRER = "https://www.google.com/search?q=pillows"
PHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) AppleWebKit/605.1.15 "
    "(KHTML, like Gecko) Version/17.0 Mobile/15E148 Safari/604.1"
)


def test_each_field_of_enrichment_and_evidence_holds_what_its_name_says() -> None:
    clicks = TrafficRules(load_sources()).click_names
    for name, given in (("Order Completed", ORDER), ("Product Viewed", VIEW)):
        more = {"name": name, "sequence": 5, "url": URL, "referrer": REFERRER, "user_agent": PHONE}
        line, properties = touchpoint("id-1", NOON, properties=given, **more), json.dumps(given)
        seen = decode_touchpoint(line)
        enrichment, evidence = enrich(seen, "visitor", NOON, 3, 77, click_ids=clicks)
        page, referrer = read_url(URL, clicks), read_url(REFERRER)
        agent, commerce = read_user_agent(PHONE), read_commerce(name, properties)
        progress = read_progress(name, properties)
        read = (
            page._asdict()
            | agent._asdict()
            | progress._asdict()
            | asdict(commerce)
            | {
                "visitor_id": "visitor",
                "is_late": False,
                "kafka_partition": 3,
                "kafka_offset": 77,
                "referrer_host": referrer.host,
                "money_problem": commerce.problem,
                "revenue": commerce.value if name == "Order Completed" else 0.0,
                "turn": turn(5, name, is_arrival=True),
            }
        )
        found = asdict(enrichment)
        assert found == {key: read[key] for key in found}
        read |= {
            "at": NOON,
            "id": seen.touchpoint_id,
            "name": name,
            "channel": seen.channel,
            "is_page": False,
            "visitor_id": "",
            "properties": None,
            "search_term": referrer.search_term,
            "country": "AT" if given is VIEW else "",
        }
        found = asdict(evidence)
        assert found == {key: read[key] for key in found}
