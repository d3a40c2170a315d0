"""The mapping for tills: customers, cards, sales and complaints of a small export."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
from rich.progress import Progress

from pipeline.importer.send import import_files, load_mapping
from pipeline.kafka.in_memory import MemoryBroker
from schemas.topics import RAW
from tests.support.database import touchpoints_in
from tests.support.puffy import MAPPINGS

HEADER = (
    "vorgangsnummer;zeitpunkt;vorgang;kundennummer;kundenkarte;bon;betrag;filiale;name;kassierer\n"
)
EXPORT = HEADER + (
    "v-1;24.12.2025 10:15;Beratung;;77;;;Lübeck;;kb\n"
    "v-2;24.12.2025 10:40;Verkauf;c-17;77;4711;89.90;Lübeck;Ada L.;kb\n"
    "v-3;27.12.2025 09:00;Retoure;c-17;;4711;-89.90;Lübeck;Ada L.;mm\n"
    "v-4;28.06.2025 09:00;Reklamation;c-17;;;;;Ada L.;mm\n"
    "v-5;28.12.2025 09:00;Gutschein;c-18;;;;;;mm\n"
)


async def imported(folder: Path) -> dict[str, Any]:
    export = folder / "till.csv"
    export.write_text(EXPORT, encoding="utf-8")
    broker = MemoryBroker()
    await import_files(
        [export],
        load_mapping(MAPPINGS / "till.toml"),
        broker,
        site="shop",
        now=lambda: datetime(2026, 1, 1, tzinfo=UTC),
        progress=Progress(disable=True),
    )
    return {each.touchpoint_id: each for each in touchpoints_in(broker.records(RAW.name))}


async def test_what_happens_at_a_till_gets_the_names_that_the_journey_knows(tmp_path: Path) -> None:
    rows = await imported(tmp_path)
    assert {
        "v-1": ("Advice Given", "store"),
        "v-2": ("Order Completed", "store"),
        "v-3": ("Order Returned", "store"),
        "v-4": ("Complaint Made", "phone"),
        "v-5": ("Gutschein", "store"),
    } == {id_: (row.name, row.channel) for id_, row in rows.items()}


async def test_a_card_is_the_visitor_and_a_customer_the_user_so_one_sale_joins_both(
    tmp_path: Path,
) -> None:
    rows = await imported(tmp_path)
    assert [("card-77", ""), ("card-77", "c-17"), ("", "c-17")] == [
        (rows[id_].anonymous_id, rows[id_].user_id) for id_ in ("v-1", "v-2", "v-3")
    ]


async def test_a_sale_has_order_revenue_and_currency_and_nobodys_name(tmp_path: Path) -> None:
    sale = (await imported(tmp_path))["v-2"]
    assert {
        "vorgang": "Verkauf",
        "order_id": "4711",
        "revenue": 89.9,
        "store_id": "Lübeck",
        "currency": "EUR",
    } == msgspec.json.decode(sale.properties)


async def test_german_times_are_understood_in_winter_and_in_summer(tmp_path: Path) -> None:
    rows = await imported(tmp_path)
    assert datetime(2025, 12, 24, 9, 40, tzinfo=UTC) == rows["v-2"].occurred_at
    assert datetime(2025, 6, 28, 7, 0, tzinfo=UTC) == rows["v-4"].occurred_at
