"""What reads bytes behind the door: the tracker, the access log, files of an import, mappings.

As in `endpoints`: whatever comes out of these functions but the documented refusals is a finding.
"""

import gzip
import json
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec
from msgspec import structs

from pipeline.collector.intake import Intake, Limits
from pipeline.collector.letters import Letters
from pipeline.importer.access_log import MAPPING as ACCESS_LOG
from pipeline.importer.access_log import row_of
from pipeline.importer.files import log_lines, rows_of
from pipeline.importer.mapping import BadMapping, Mapping, parse_mapping
from pipeline.importer.plan import Plan
from pipeline.importer.rows import ImportFailed, Row, Unreadable
from pipeline.importer.send import load_mapping
from pipeline.journey.handover import everything
from pipeline.journey.messages import Assignment, Handover, Link, encode_message
from pipeline.journey.state import Evidence
from pipeline.operations.dead_letters import raw_of, read_record, row_reader
from pipeline.tracker.commerce import read_commerce
from pipeline.tracker.enrich import read_country, read_url, read_user_agent
from pipeline.tracker.partition import Partition
from pipeline.values.hosts import ascii_host
from pipeline.values.identifiers import identifier
from pipeline.values.money import MOST_MONEY, read_amount
from pipeline.values.texts import harmless, line, repaired
from schemas.codec import Refused
from schemas.dead_letter import DeadLetter
from tests.support.examples import examples
from tests.support.journeys import DAY, NOON, RULES, Life, seen
from tests.support.tracker import log_of, run, tick, touchpoint, written

_NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
_MAPPINGS = Path(__file__).parents[2] / "docs" / "mappings"


# --- the tracker ----------------------------------------------------------------------------------


def track(data: bytes) -> None:
    """Take one record through all steps, twice: what it leaves behind must be readable too."""
    partition = Partition(0)
    for _ in range(2):
        partition.offset = -1
        output = run(log_of(data, key=None), RULES, partition)
        for topic in output.rows:
            for row in written(output, topic):
                assert isinstance(row, msgspec.Struct)
        for key, value, _ in output.state:
            Partition(0).restore(key or b"", value)


def exchange(data: bytes) -> None:
    """Hear a message of another partition, twice; what it says of people is believed."""
    partition = Partition(0)
    for _ in range(2):
        partition.offset = -1
        run(log_of(data, key=None), RULES, partition)


def touchpoints() -> Iterator[bytes]:
    for path in examples("touchpoint", kind="valid") + examples("touchpoint", kind="invalid"):
        yield path.read_bytes()
    for path in examples("tick", kind="valid"):
        yield path.read_bytes()
    order = {"order_id": "o", "total": "7.5", "currency": "EUR", "email_sha256": "a" * 64}
    lines = [
        touchpoint("a", NOON, name="Product Added", properties={"price": 1, "quantity": 2}),
        touchpoint("b", NOON, name="Order Completed", user_id="u", properties=order),
        touchpoint("c", NOON, type="alias", previous_id="p", user_id="u"),
        touchpoint("d", NOON, name="Form Submitted", properties={"form_id": "f", "step": 1}),
        tick(NOON + 7_200_000),
    ]
    yield b"\n".join(lines)


def exchanged() -> Iterator[bytes]:
    evidence = [Evidence(NOON, "a", "Page Viewed")]
    for message in (
        Link("shop", "ada", "user:u", NOON),
        Assignment("shop", "ada", "bob", 1, NOON),
        Handover("shop", "bob", "ada", 1, NOON, evidence),
        Handover("shop", "bob", "ada", 2, NOON, is_gone=True),
        _sealed(),
    ):
        yield encode_message(message)


def _sealed() -> Handover:
    """Give what a visitor hands over who bought something long ago, and left a cart behind."""
    names = ("Page Viewed", "Order Completed", "Product Added", "Page Viewed")
    days = (-60, -60, -59, 0)
    life = Life()
    life.see(
        *(
            seen(f"t{number}", day * DAY + number, name, order_id="o", value=9.5)
            for number, (day, name) in enumerate(zip(days, names, strict=True))
        )
    )
    handover = next(everything(life.state, "shop", "eve", NOON))
    assert handover.base
    return structs.replace(handover, person="bob", epoch=3)


def look_up(data: bytes) -> None:
    """Read a URL, a user agent and a locale, one a line."""
    url, _, rest = data.decode(errors="ignore")[:8192].partition("\n")
    user_agent, _, locale = rest.partition("\n")
    read_url(url[:4096])
    read_user_agent(user_agent[:4096])
    read_country(locale[:256], '{"country": "de"}')


def looked_up() -> Iterator[bytes]:
    yield b"https://shop.example/a?utm_source=x&gclid=1&q=chair\nMozilla/5.0 (iPad) Bot/1\nde-AT"
    yield b"http://[::1]:80/%ff?utm_term=%E4\nMozilla/5.0 (Linux; Android 14) Mobile\nen"


def read_values(data: bytes) -> None:
    """Repair JSON, and read it as texts, identifiers, hosts, money and goods."""
    mended = repaired(data)
    assert mended == repaired(mended)
    text = line(harmless(mended).decode())
    assert identifier(text) == identifier(identifier(text))
    ascii_host(text)
    amount = read_amount(text)
    assert amount is None or abs(amount.value) < MOST_MONEY
    for name in ("Product Added", "Order Completed", "Checkout Started"):
        assert abs(read_commerce(name, mended).value) < MOST_MONEY


def values_said() -> Iterator[bytes]:
    yield b'{"price": "1.234,56 \xe2\x82\xac", "quantity": 1e400, "currency": "eur"}'
    yield b'{"products": [{"sku": 7.0, "price": NaN}], "value": "\\ud83d", "order_id": "null"}'
    yield b"CHF 1'234.-"
    yield "müller.example".encode()


def read_letter(data: bytes) -> None:
    """Read a dead letter again, as `touchstream replay` does."""
    try:
        letter = msgspec.json.decode(data, type=DeadLetter)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return
    again = Letters(Intake(Limits(bytes=32_768, depth=8, age=timedelta(days=30))))
    for read in (read_record, row_reader(OWN, _NOW), lambda one: again.read(one, raw_of(one))):
        with suppress(Refused):
            read(letter)


def letters() -> Iterator[bytes]:
    for path in examples("dead_letter", kind="valid"):
        yield path.read_bytes()


# --- files ----------------------------------------------------------------------------------------


def import_file(name: str, mapping: Mapping, data: bytes) -> None:
    """Import a file of the name `name` with the content `data`."""
    with TemporaryDirectory(dir=_memory()) as folder:
        path = Path(folder) / name
        path.write_bytes(data)
        with suppress(ImportFailed):
            _read(rows_of(path, mapping.file), mapping)


def read_log(data: bytes) -> None:
    """Import an access log."""
    with TemporaryDirectory(dir=_memory()) as folder:
        path = Path(folder) / "access.log"
        path.write_bytes(data)
        named = partial(row_of, visitor_of=lambda _: "ip_1", base="https://shop.example")
        with suppress(ImportFailed):
            _read(log_lines(path, ACCESS_LOG.file, row_of=named), ACCESS_LOG)


def read_mapping(data: bytes) -> None:
    with suppress(BadMapping):
        parse_mapping(data.decode(errors="ignore"), "a.toml")


def _read(rows: Iterator[Row | Unreadable], mapping: Mapping) -> None:
    plan = Plan(mapping, "shop", _NOW)
    plan.open("a")
    for row in rows:
        plan.add(row)
    for outgoing in plan.in_order():
        assert len(outgoing.value) < 1_000_000
    for letter in plan.letters():
        letter.raw()


def _memory() -> str | None:
    """Name a folder in memory, if there is one."""
    return "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108 - files of an instant


def mapping_of(name: str) -> Mapping:
    return load_mapping(_MAPPINGS / f"{name}.toml")


def mappings() -> Iterator[bytes]:
    for path in sorted(_MAPPINGS.glob("*.toml")):
        yield path.read_bytes()


def sheets() -> Iterator[bytes]:
    sheet = (
        b"client_id,page_url,timestamp,event_name,event_data\n"
        b"c-1,https://shop.example/,2025-02-23T10:00:00Z,page_viewed,\n"
        b'c-1,/checkouts/1,2025-02-23T10:06:00Z,checkout_completed,"{""revenue"": 49}"\n'
        b",x,2025-02-23T10:07:00Z,page_viewed\n"
    )
    yield sheet
    yield gzip.compress(sheet, mtime=0)


OWN = parse_mapping(
    """
    channel = "store"
    json_columns = ["more"]
    numbers = ["total"]
    leave_out = ["clerk"]

    [columns]
    occurred_at = ["time", "day"]
    anonymous_id = "card"
    user_id = "customer"
    name = "kind"
    url = "url"

    [time]
    format = "epoch_ms"
    zone = "Europe/Berlin"

    [properties]
    total = "revenue"

    [products]
    sku = "product_id"

    [[events]]
    path_prefix = "/cart"
    name = "Cart Viewed"
    """,
    "own.toml",
)


def lines() -> Iterator[bytes]:
    bought = {
        "time": 1_740_305_160_000,
        "customer": 7,
        "kind": "Order Completed",
        "total": "49.5",
        "url": "https://shop.example/cart?a=1",
        "products": [{"sku": "s", "price": "4.5", "email": "ada@shop.example"}],
        "more": '{"a": {"b": [1, null, 2.5e3]}}',
    }
    line = json.dumps(bought).encode()
    yield line + b'\n[]\n{\n{"day": "1", "card": "c", "kind": "x", "more": {}}\n'
    yield gzip.compress(line, mtime=0)


def logged() -> Iterator[bytes]:
    yield (
        b'192.0.2.7 - ada [17/May/2015:10:05:03 +0200] "GET /a?b=1 HTTP/1.1" 200 5 "-" "Mozilla"\n'
        b'::1 - - [17/May/2015:10:05:03 +0200] "\\x16\\x03" 400 - "http://a/\\"" "-"\n'
        b"no line of a log\n"
    )
