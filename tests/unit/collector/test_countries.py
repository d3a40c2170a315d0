"""The country of an address: looked up whole, and never needed."""

from pathlib import Path
from typing import Any

import msgspec
import pytest

from pipeline.collector.arrival import Arrival
from pipeline.collector.countries import Countries
from pipeline.settings import BadSettings
from tests.support.mmdb import write_mmdb
from tests.unit.collector.test_intake import NOON, intake, track

NETWORKS: dict[str, dict[str, Any]] = {
    "192.0.2.0/25": {"country": {"iso_code": "DE", "names": {"en": "Germany"}}},
    "192.0.2.128/25": {"country": {"iso_code": "AT"}},
    "198.51.100.0/24": {"country": "fr"},
    "203.0.113.0/24": {"continent": {"code": "EU"}},
    "2001:db8::/32": {"country": {"iso_code": "CH"}},
}


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return write_mmdb(tmp_path / "countries.mmdb", NETWORKS)


@pytest.mark.parametrize(
    ("client", "country"),
    [
        ("192.0.2.77:50001", "DE"),
        ("192.0.2.177:50001", "AT"),
        ("198.51.100.1:1", "FR"),
        ("203.0.113.1:1", ""),
        ("127.0.0.1:1", ""),
        ("[2001:db8:7::1]:443", "CH"),
        ("[::ffff:192.0.2.77]:443", "DE"),
        ("unix:", ""),
        ("", ""),
    ],
)
def test_the_whole_address_is_looked_up(database: Path, client: str, country: str) -> None:
    assert Countries(database).of(client) == country


def test_without_a_database_nobody_comes_from_anywhere() -> None:
    assert Countries(None).of("192.0.2.77:50001") == ""


def test_a_file_that_is_none_is_refused_by_the_name_of_the_setting(tmp_path: Path) -> None:
    (tmp_path / "text.mmdb").write_text("no database")
    for name in ("missing.mmdb", "text.mmdb"):
        with pytest.raises(BadSettings, match=r"^TOUCHSTREAM_COUNTRY_DATABASE: .*\.mmdb cannot be"):
            Countries(tmp_path / name)


def test_the_country_is_a_property_unless_the_sender_names_one() -> None:
    arrival = Arrival("shop", NOON, country="DE")
    plain = intake.touchpoint(track(), arrival, "track")
    told = intake.touchpoint(track(properties={"country": "AT"}), arrival, "track")
    assert msgspec.json.decode(plain.properties) == {"country": "DE"}
    assert msgspec.json.decode(told.properties) == {"country": "AT"}
