"""What a row means by a mapping."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.importer.mapping import Mapping, parse_mapping
from pipeline.importer.rows import Row, RowIds, touchpoint_of
from pipeline.privacy.addresses import is_address
from schemas.codec import Refused
from schemas.dead_letter import Reason
from schemas.touchpoint import Touchpoint

NOW = datetime(2026, 1, 1, tzinfo=UTC)

WHOLE = """
channel = "website"
json_columns = "data"
numbers = ["price"]
[columns]
occurred_at = "when"
anonymous_id = ["client_id", "clientId"]
user_id = "login"
touchpoint_id = "id"
name = "what"
url = "page"
[[events]]
from = "view"
path_prefix = "/products/"
name = "Product Viewed"
channel = "shop"
[[events]]
from = "view"
name = "Page Viewed"
type = "page"
properties = { rule = "second", who_wins = "rule" }
[properties]
items = "products"
mail = "email_sha256"
[products]
item_id = "product_id"
[constants]
currency = "EUR"
who_wins = "constant"
"""

SMALLEST = """
channel = "shop"
[columns]
occurred_at = "when"
anonymous_id = "who"
[[events]]
name = "Seen"
"""


def mapped(row: Row, text: str = WHOLE) -> Touchpoint:
    mapping: Mapping = parse_mapping(text, "m.toml")
    return touchpoint_of(row, mapping, site="shop", row_id="row", now=NOW)


def a_row(**cells: Any) -> Row:
    return {"client_id": "v1", "when": "2025-03-01T10:00:00Z", "what": "view", **cells}


def properties_of(touchpoint: Touchpoint) -> dict[str, Any]:
    properties: dict[str, Any] = msgspec.json.decode(touchpoint.properties)
    return properties


def refusal_of(row: Row, text: str = WHOLE) -> Refused:
    with pytest.raises(Refused) as refusal:
        mapped(row, text)
    return refusal.value


def at(**time: str) -> datetime:
    """Map a row with this time format and this time."""
    row = a_row(when=time.pop("when"))
    lines = "\n".join(f'{key} = "{value}"' for key, value in time.items())
    return mapped(row, f"{WHOLE}\n[time]\n{lines}").occurred_at


# --- who -----------------------------------------------------------------------------------------


def test_the_first_alias_that_is_there_and_not_empty_names_the_visitor() -> None:
    rows = [{"clientId": "v2"}, {"client_id": " ", "clientId": "v2"}, {"client_id": "v1"}]
    times = [{"when": "2025-03-01", "what": "view", **row} for row in rows]
    assert [mapped(row).anonymous_id for row in times] == ["v2", "v2", "v1"]


def test_an_alias_that_was_not_needed_stays_in_the_properties() -> None:
    assert properties_of(mapped(a_row(clientId="v2")))["clientId"] == "v2"


@pytest.mark.parametrize("nobody", [0, "0", "NULL", r"\N", "nan", "undefined", " - ", "Gast"])
def test_what_means_nobody_is_no_id_and_the_next_column_counts(nobody: object) -> None:
    row = {"client_id": nobody, "clientId": "v2", "when": "2025-03-01", "what": "view"}
    assert mapped(row, 'placeholders = ["gast"]\n' + WHOLE).anonymous_id == "v2"


@pytest.mark.parametrize("cell", [0, "0", 0.0, "0.0"])
def test_an_id_that_looks_like_nobody_is_somebody_where_the_mapping_says_so(cell: object) -> None:
    assert mapped(a_row(login=cell), 'real_ids = ["0"]\n' + WHOLE).user_id == "0"
    assert mapped(a_row(login=cell)).user_id == ""


@pytest.mark.parametrize("cell", [123, 123.0, "123", "123.0"])
def test_a_number_is_one_user_however_the_table_writes_it(cell: object) -> None:
    assert mapped(a_row(login=cell)).user_id == "123"


def test_a_prefix_keeps_ids_of_different_origin_apart_and_makes_none_of_nothing() -> None:
    text = WHOLE + '[prefix]\nanonymous_id = "nps-"\nuser_id = "crm-"'
    touchpoint = mapped(a_row(), text)
    assert (touchpoint.anonymous_id, touchpoint.user_id) == ("nps-v1", "")


def test_a_row_without_visitor_is_refused_for_that_whatever_else_it_lacks() -> None:
    assert refusal_of({"client_id": " ", "when": "never"}).reason == Reason.NO_VISITOR_ID


# --- what ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("https://shop.example/products/bed", "Product Viewed"),
        ("https://shop.example/products/", "Product Viewed"),
        ("https://shop.example/products", "Page Viewed"),
        ("https://shop.example/?next=/products/bed", "Page Viewed"),
        ("https://shop.example#/products/bed", "Page Viewed"),
        ("https://shop.example/blog/products/bed", "Page Viewed"),
        ("/products/bed?size=1", "Product Viewed"),
        ("", "Page Viewed"),
    ],
)
def test_the_first_rule_decides_whose_prefix_begins_the_path(url: str, name: str) -> None:
    assert mapped(a_row(page=url)).name == name


def test_a_rule_gives_type_and_channel_and_else_the_mapping_does() -> None:
    product, page = mapped(a_row(page="/products/1")), mapped(a_row())
    assert (product.type, product.channel) == ("track", "shop")
    assert (page.type, page.channel) == ("page", "website")


def test_a_name_that_no_rule_knows_is_kept() -> None:
    touchpoint = mapped(a_row(what="Video Played"))
    assert (touchpoint.name, touchpoint.channel) == ("Video Played", "website")
    assert properties_of(touchpoint) == {"currency": "EUR", "who_wins": "constant"}


def test_a_name_that_a_rule_translates_stays_in_the_properties() -> None:
    assert properties_of(mapped(a_row()))["what"] == "view"


def test_a_row_without_a_name_is_refused() -> None:
    refused = refusal_of(a_row(what=""))
    assert (refused.reason, refused.detail) == (Reason.MISSING_FIELD, "no event name in what")


# --- when ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("time", "expected"),
    [
        ({"when": "2025-03-01T10:00:00.123Z"}, datetime(2025, 3, 1, 10, 0, 0, 123_000, UTC)),
        ({"when": "2025-03-01T10:00:00+02:00"}, datetime(2025, 3, 1, 8, tzinfo=UTC)),
        ({"when": "2025-03-01 10:00"}, datetime(2025, 3, 1, 10, tzinfo=UTC)),
        (
            {"when": "2025-03-01 10:00", "zone": "Europe/Berlin"},
            datetime(2025, 3, 1, 9, tzinfo=UTC),
        ),
        (
            {"when": "2025-03-01T10:00:00.123999Z"},
            datetime(2025, 3, 1, 10, 0, 0, 123_000, UTC),
        ),
        (
            {"when": "1740823200123", "format": "epoch_ms"},
            datetime(2025, 3, 1, 10, 0, 0, 123_000, UTC),
        ),
        ({"when": "1740823200", "format": "epoch_s"}, datetime(2025, 3, 1, 10, tzinfo=UTC)),
        (
            {"when": "06-05-2014 9.30", "format": "%d-%m-%Y %H.%M"},
            datetime(2014, 5, 6, 9, 30, tzinfo=UTC),
        ),
        (
            {"when": "1.3.2025 10:00 +0100", "format": "%d.%m.%Y %H:%M %z"},
            datetime(2025, 3, 1, 9, tzinfo=UTC),
        ),
    ],
)
def test_times_are_read_in_their_format_and_zone_to_the_millisecond(
    time: dict[str, str], expected: datetime
) -> None:
    assert at(**time) == expected


@pytest.mark.parametrize("typed", [datetime(2025, 3, 1), date(2025, 3, 1)])  # noqa: DTZ001
def test_a_typed_time_of_a_parquet_file_is_taken_as_it_is(typed: date) -> None:
    assert mapped(a_row(when=typed)).occurred_at == datetime(2025, 3, 1, tzinfo=UTC)


def test_received_at_is_occurred_at_because_the_file_knows_no_better() -> None:
    touchpoint = mapped(a_row())
    assert touchpoint.received_at == touchpoint.occurred_at


@pytest.mark.parametrize(
    ("when", "reason"),
    [
        ("", Reason.MISSING_FIELD),
        ("soon", Reason.INVALID_TIME),
        ("0001-01-01T00:00:00+14:00", Reason.INVALID_TIME),
        ("1969-12-31T23:59:59Z", Reason.TIME_OUT_OF_RANGE),
        ("2026-01-01T00:00:00.001Z", Reason.TIME_OUT_OF_RANGE),
    ],
)
def test_a_row_without_a_time_between_1970_and_now_is_refused(when: str, reason: Reason) -> None:
    assert refusal_of(a_row(when=when)).reason == reason


def test_this_very_moment_and_the_first_one_are_not_out_of_range() -> None:
    times = ["2026-01-01T00:00:00Z", "1970-01-01T00:00:00Z"]
    assert [mapped(a_row(when=when)).occurred_at.year for when in times] == [2026, 1970]


# --- properties ----------------------------------------------------------------------------------


def test_what_the_mapping_does_not_name_stays_in_the_properties() -> None:
    assert properties_of(mapped(a_row(colour="red", nested={"a": [1]}, empty=" ", none=None))) == {
        "currency": "EUR",
        "who_wins": "rule",
        "rule": "second",
        "what": "view",
        "colour": "red",
        "nested": {"a": [1]},
    }


def test_the_row_wins_over_its_rule_and_the_rule_over_the_constants() -> None:
    said = [properties_of(mapped(row))["who_wins"] for row in (a_row(), a_row(who_wins="row"))]
    assert said == ["rule", "row"]


def test_json_in_a_cell_is_spread_out_and_renamed_to_the_names_of_segment() -> None:
    data = '{"mail":"ab12","items":[{"item_id":"p1","n":1},"odd"],"revenue":12.5}'
    properties = properties_of(mapped(a_row(data=data)))
    assert properties["email_sha256"] == "ab12"
    assert properties["products"] == [{"product_id": "p1", "n": 1}, "odd"]
    assert properties["revenue"] == 12.5
    assert not {"mail", "items", "data"} & properties.keys()


def test_a_key_in_json_that_is_also_a_column_does_not_overwrite_it() -> None:
    properties = properties_of(mapped(a_row(data='{"colour":"blue"}', colour="red")))
    assert (properties["colour"], properties["data.colour"]) == ("red", "blue")


def test_renaming_never_overwrites() -> None:
    properties = properties_of(mapped(a_row(mail="new", email_sha256="old")))
    assert (properties["email_sha256"], properties["mail"]) == ("old", "new")


@pytest.mark.parametrize(("data", "reason"), [("{", Reason.NOT_JSON), ("1", Reason.NOT_AN_OBJECT)])
def test_a_json_cell_that_holds_no_object_is_refused(data: str, reason: Reason) -> None:
    assert refusal_of(a_row(data=data)).reason == reason


@pytest.mark.parametrize(
    ("cell", "number"), [("12", 12), (" 12.50 ", 12.5), ("-1e3", -1000.0), (7, 7)]
)
def test_a_number_in_text_becomes_a_number(cell: object, number: float) -> None:
    assert properties_of(mapped(a_row(price=cell)))["price"] == number


@pytest.mark.parametrize("cell", ["abc", "1,234", "1_000", "10-20"])
def test_what_is_no_number_or_may_be_two_stays_as_it_is(cell: str) -> None:
    assert properties_of(mapped(a_row(price=cell)))["price"] == cell


@pytest.mark.parametrize(
    ("cell", "number"),
    [("12,50", 12.5), ("1.234,56", 1234.56), ("1,234.56", 1234.56), ("19,99 €", 19.99), ("7", 7)],
)
def test_a_number_is_read_as_its_country_writes_it(cell: str, number: float) -> None:
    assert properties_of(mapped(a_row(price=cell)))["price"] == number


def test_a_german_file_is_read_with_its_amounts() -> None:
    german = WHOLE + '\n[file]\ndecimal = ","\ndelimiter = ";"'
    goods = '{"products": [{"price": "1.234", "quantity": "2"}]}'
    told = properties_of(mapped(a_row(price="1.234", revenue="12.345 €", data=goods), german))
    assert (told["price"], told["revenue"], told["currency"]) == (1234, 12345, "EUR")
    assert told["products"] == [{"price": 1234, "quantity": 2}]


def test_an_empty_cell_is_no_number_and_no_property() -> None:
    assert "price" not in properties_of(mapped(a_row(price="")))


def test_typed_cells_that_json_lacks_are_written_as_text() -> None:
    properties = properties_of(mapped(a_row(day=date(2025, 3, 1), sum=Decimal("1.50"))))
    assert (properties["day"], properties["sum"]) == ("2025-03-01", "1.50")


@pytest.mark.parametrize("cells", [{"page": "x" * 5000}, {"id": "x" * 129}])
def test_a_row_against_the_contract_is_refused(cells: Row) -> None:
    assert refusal_of(a_row(**cells)).reason == Reason.INVALID_FIELD


# --- ids -----------------------------------------------------------------------------------------


def test_a_row_that_brings_an_id_keeps_it() -> None:
    assert [mapped(row).touchpoint_id for row in (a_row(id="own"), a_row())] == ["own", "row"]


IDS = parse_mapping(
    """
    channel = "shop"
    json_columns = ["data"]
    [columns]
    occurred_at = ["at", "time"]
    anonymous_id = "who"
    name = "what"
    """,
    "ids.toml",
)


def ids_of(*rows: Row) -> list[str]:
    ids = RowIds(IDS)
    return [ids.next(row) for row in rows]


def test_equal_rows_of_a_file_are_told_apart_and_another_file_gives_the_same_ids() -> None:
    rows: list[Row] = [{"who": "1"}, {"who": "2"}, {"who": "1"}]
    assert len(set(ids_of(*rows))) == 3
    assert ids_of(*rows) == ids_of(*rows)


def test_the_order_of_columns_and_empty_cells_do_not_change_the_id() -> None:
    assert ids_of({"who": "1", "what": "2"}) == ids_of({"what": "2", "data": "", "who": "1"})


@pytest.mark.parametrize(
    "other",
    [
        {"time": "2025-03-01", "who": "1", "what": "2", "note": "x"},  # renamed
        {"at": "2025-03-01", "who": "1", "what": "2"},  # dropped
        {"at": "2025-03-01", "who": "1", "what": "2", "note": "x", "new": "y"},
    ],
)
def test_a_column_that_is_renamed_dropped_or_new_does_not_change_the_id(other: Row) -> None:
    assert ids_of({"at": "2025-03-01", "who": "1", "what": "2", "note": "x"}) == ids_of(other)


def test_what_json_says_is_part_of_the_id() -> None:
    assert ids_of({"who": "1", "data": '{"a":1}'}) != ids_of({"who": "1", "data": '{"a":2}'})


words = st.text(st.characters(exclude_categories=["Cc", "Cs"]))


@given(st.dictionaries(words.filter(bool), words | st.integers(0, 9) | st.none()))
def test_every_cell_of_any_name_and_text_is_found_again(cells: Row) -> None:
    kept = {
        name: cell
        for name, cell in cells.items()
        if not is_address(name) and (str(cell or "").strip() or cell == 0)
    }
    properties = properties_of(mapped({**cells, "who": "v", "when": "2025-03-01"}, SMALLEST))
    assert {name: properties[name] for name in kept if name not in {"who", "when"}} == {
        name: cell for name, cell in kept.items() if name not in {"who", "when"}
    }
