"""The golden examples of `schemas/examples`: a folder for each contract."""

import json
from pathlib import Path
from typing import Any

import msgspec

import schemas
from schemas.codec import decode_touchpoint, encode_row
from schemas.dead_letter import DeadLetter
from schemas.facts import Abandonment, Fact, Identity, Link, Session, Transition
from schemas.json_schema import CONTRACTS
from schemas.touchpoint import Enrichment, TouchpointRow, visitor_of

FOLDER = Path(schemas.__file__).parent / "examples"

AnyRow = TouchpointRow | Fact | DeadLetter

ROWS: dict[str, type[AnyRow]] = {
    "touchpoints": TouchpointRow,
    "sessions": Session,
    "transitions": Transition,
    "abandonments": Abandonment,
    "identities": Identity,
    "links": Link,
    "dead_letters": DeadLetter,
}
"""What a row of each table is in Python."""


def examples(*contracts: str, kind: str) -> list[Path]:
    """List the files of `kind`, valid or invalid, for `contracts`; ValueError if one has none."""
    found = [sorted((FOLDER / contract / kind).glob("*.json")) for contract in contracts]
    if not all(found):
        raise ValueError(f"no {kind} examples for one of {contracts}")
    return [path for paths in found for path in paths]


def contract_of(path: Path) -> str:
    """Name the contract that an example is of."""
    return path.parts[-3]


def title_of(path: Path) -> str:
    """Name an example in the output of pytest."""
    return f"{contract_of(path)}-{path.stem}"


def parsed(path: Path) -> Any:
    """Read an example without any contract; ValueError if it is not JSON."""
    return json.loads(path.read_bytes())


def row_of(path: Path) -> AnyRow:
    """Read a valid example as the row it becomes: a touchpoint with all columns filled."""
    if contract_of(path) != "touchpoint":
        row: AnyRow = msgspec.json.decode(path.read_bytes(), type=CONTRACTS[contract_of(path)])
        return row
    touchpoint = decode_touchpoint(path.read_bytes())
    enrichment = Enrichment(
        visitor_id=visitor_of(touchpoint.anonymous_id, touchpoint.user_id),
        is_late=False,
        host="shop.example",
        path="/größe",
        referrer_host="mail.example",
        utm_source="newsletter",
        utm_medium="email",
        utm_campaign="spring",
        utm_term="chair",
        utm_content="top",
        click_id="gclid",
        device="desktop",
        browser="Firefox",
        os="Linux",
        is_bot=False,
        order_id="o-1",
        revenue=119.9,
        currency="EUR",
        kafka_partition=3,
        kafka_offset=1003,
    )
    return msgspec.json.decode(encode_row(touchpoint, enrichment), type=TouchpointRow)
