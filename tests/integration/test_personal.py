"""`touchstream export` and `erase`: what the tables hold of a person, and of nobody else."""

import json
import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from clickhouse_connect.driver.client import Client

from pipeline.cli import main
from pipeline.kafka.records import partition_for
from pipeline.personal.delete import EraseRefused, erase_rows
from pipeline.personal.erasures import Bounds, Erased
from pipeline.personal.find import (
    Named,
    SeveralPeople,
    count_rows,
    find_person,
)
from pipeline.reports.moves.answer import NobodyFound
from schemas.codec import decode_touchpoint
from tests.support import tracker
from tests.support.database import migrated_database, track_fully
from tests.support.engine import EngineServer
from tests.support.journeys import NOON
from tests.support.ports import free_ports
from tests.support.stories import at, give_up, move, order, rows, seen, visit, write

LOOK, BUY = seen(0, "Page Viewed", "website"), order(5, "o1", 30)


@pytest.fixture
def client(engine: EngineServer) -> Iterator[Client]:
    with migrated_database(engine) as client:
        tell(client)
        yield client


@pytest.fixture
def environment(
    engine: EngineServer, client: Client, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TOUCHSTREAM_CLICKHOUSE_URL", f"http://{engine.host}:{engine.port}")
    monkeypatch.setenv("TOUCHSTREAM_CLICKHOUSE_DATABASE", str(client.database))
    return tmp_path


def tell(client: Client) -> None:
    """Ada has a phone and a laptop, and is user 7; Bob has one device; a tablet is everybody's."""
    for visitor in ("phone", "laptop", "bob", "tablet"):
        visit(client, visitor, LOOK, BUY)
        move(client, visitor, 0, "awareness")
        give_up(client, visitor, "cart", "Cart Viewed")
    for visitor in ("phone", "laptop"):
        write(client, "links", {"visitor_id": visitor, "identifier": "user:7"})
    for name in ("phone", "laptop", "user:7"):
        write(client, "identities", {"visitor_id": name, "person_id": "ada", "version": 1})
    write(client, "touchpoints", touchpoint("login", "tablet", "7"), touchpoint("x", "tablet", "8"))
    letter(client, "1", {"anonymousId": "phone"})
    letter(client, "2", {"userId": 7, "anonymousId": "else"})
    letter(client, "3", {"anonymousId": "bob"})
    letter(client, "4", {"userId": "77"})
    write(client, "dead_letters", {"dead_letter_id": "5", "payload": "not JSON: phone"})


def touchpoint(id_: str, visitor: str, user: str) -> dict[str, object]:
    return {
        "touchpoint_id": id_,
        "visitor_id": visitor,
        "user_id": user,
        "name": "Page Viewed",
        "occurred_at": at(2),
    }


def letter(client: Client, id_: str, payload: dict[str, object]) -> None:
    write(client, "dead_letters", {"dead_letter_id": id_, "payload": json.dumps(payload)})


ADA = Named("shop", ("laptop", "phone", "user:7"))
OF_ADA = {
    "touchpoints": 5,
    "sessions": 2,
    "transitions": 2,
    "abandonments": 2,
    "links": 2,
    "identities": 3,
    "dead_letters": 2,
}
"""Two touchpoints of each device, and the login on the tablet; two letters name her."""


def erase_person(client: Client, named: Named) -> None:
    """Erase all that is there; the log's last record is far away."""
    far = 10**15
    erased = Erased(named.site, named.names, far, {0: Bounds(far, far)})
    erase_rows(client, erased, partitions=1)


def call(*arguments: str) -> Result:
    return CliRunner().invoke(main, arguments)


# --- find ----------------------------------------------------------------------------------------


def test_a_person_is_found_by_any_of_its_names(client: Client) -> None:
    assert [
        find_person(client, person="ada"),
        find_person(client, person="7"),
        find_person(client, person="phone"),
        find_person(client, visitor="laptop"),
        find_person(client, identifier="user:7", site="shop"),
    ] == [ADA] * 5


def test_a_visitor_without_links_is_a_person_of_its_own(client: Client) -> None:
    assert find_person(client, visitor="bob") == Named("shop", ("bob",))


def test_an_identifier_that_joins_nobody_stands_for_itself(client: Client) -> None:
    assert find_person(client, identifier="user:8") == Named("shop", ("user:8",))


def test_who_is_not_there_is_said_not_to_be_there(client: Client) -> None:
    with pytest.raises(NobodyFound, match=r"^nothing is known about eve: "):
        find_person(client, person="eve")
    with pytest.raises(NobodyFound):
        find_person(client, person="ada", site="store")


def test_who_is_left_in_one_table_only_is_found(client: Client) -> None:
    for table in ("touchpoints", "sessions", "abandonments"):
        client.command(f"TRUNCATE TABLE {table}")
    assert find_person(client, person="bob") == Named("shop", ("bob",))
    assert find_person(client, person="7") == ADA


def test_a_name_of_several_people_is_refused(client: Client) -> None:
    write(client, "touchpoints", touchpoint("a", "7", ""))
    write(client, "touchpoints", touchpoint("b", "bob", "") | {"site": "store"})
    with pytest.raises(SeveralPeople, match=r"^7 means 2 people: 7 \(shop\), ada \(shop\)\. "):
        find_person(client, person="7")
    with pytest.raises(SeveralPeople, match=r"^bob means 2 people: bob \(shop\), bob \(store\)\. "):
        find_person(client, visitor="bob")
    assert find_person(client, visitor="bob", site="store") == Named("store", ("bob",))


def test_every_row_of_the_person_is_counted_also_on_a_device_of_others(client: Client) -> None:
    assert count_rows(client, ADA) == OF_ADA


def test_a_person_that_the_tracker_made_is_found_by_the_user_id(engine: EngineServer) -> None:
    said = [
        decode_touchpoint(tracker.touchpoint(device, NOON, anonymous_id=device, user_id="7"))
        for device in ("phone", "laptop")
    ]
    with migrated_database(engine) as client:
        track_fully(client, said)
        assert find_person(client, person="7") == ADA
        erase_person(client, ADA)
        assert left_over(client) == []


# --- export --------------------------------------------------------------------------------------


@pytest.mark.usefixtures("environment")
def test_an_export_has_a_line_for_every_row_with_its_table() -> None:
    result = call("export", "--person", "ada")
    lines = [json.loads(line) for line in result.stdout.splitlines()]
    tables = [line["table"] for line in lines]
    assert {table: tables.count(table) for table in OF_ADA} == OF_ADA
    assert len(tables) == sum(OF_ADA.values())
    orders = [line["revenue"] for line in lines if line.get("order_id")]
    assert orders == [30, 30]


def test_an_export_goes_into_a_file(environment: Path) -> None:
    assert call("export", "--visitor", "bob", "--to", "bob.jsonl").exit_code == 0
    lines = (environment / "bob.jsonl").read_text().splitlines()
    assert [json.loads(line)["table"] for line in lines] == [
        *("touchpoints", "touchpoints", "sessions", "transitions", "abandonments", "dead_letters")
    ]


@pytest.mark.usefixtures("environment")
def test_exactly_one_way_of_naming_the_person_is_asked_for() -> None:
    for arguments in ((), ("--person", "ada", "--visitor", "phone")):
        result = call("export", *arguments)
        assert result.exit_code == 2
        assert "give one of --person, --visitor and --identifier" in result.stderr
    result = call("export", "--person", "eve")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "nothing is known about eve" in result.stderr


# --- erase ---------------------------------------------------------------------------------------


def left_over(client: Client) -> list[str]:
    """Every table with a row that has one of Ada's ids in any column; sets are looked into."""
    tables = rows(
        client,
        "SELECT name FROM system.tables WHERE database = currentDatabase() "
        "AND engine LIKE '%MergeTree' AND name NOT IN ('funnel_hours', 'inventory_states')",
    )
    found = [str(name) for (name,) in tables if _holds(client, str(name))]
    hashes = "SELECT count() FROM funnel_hours WHERE hasAny(finalizeAggregation(visitors), "
    of_ada = "[cityHash64('phone'), cityHash64('laptop')])"
    return found + ["funnel_hours"] * (rows(client, hashes + of_ada) != [(0,)])


def _holds(client: Client, table: str) -> bool:
    lines = client.raw_query(f"SELECT * FROM {table}", fmt="JSONEachRow")  # noqa: S608 - our own names
    return re.search(rb'"(phone|laptop|ada|user:7|7)"', lines.replace(b"\\", b"")) is not None


def test_an_erased_person_is_in_no_table(client: Client) -> None:
    segment = touchpoint("s", "phone", "") | {"properties": '{"segment": "loyal"}'}
    write(client, "touchpoints", segment)
    client.insert("rebuild_names", [("shop", time.time_ns() // 1_000_000, "phone")])  # its TTL
    assert left_over(client) == [
        *(
            "abandonments",
            "dead_letters",
            "identities",
            "links",
            "order_touchpoints",
            "rebuild_names",
        ),
        *(
            "segment_states",
            "sessions",
            "touchpoints",
            "transitions",
            "visitor_days",
            "funnel_hours",
        ),
    ]
    erase_person(client, ADA)
    assert left_over(client) == []
    with pytest.raises(NobodyFound):
        find_person(client, person="7")
    erase_person(client, ADA)
    assert left_over(client) == []


def test_everybody_else_stays_as_they_were(client: Client) -> None:
    others = Named("shop", ("bob", "tablet", "user:8"))
    before = count_rows(client, others)
    write(client, "touchpoints", touchpoint("a", "phone", "7") | {"site": "store"})
    erase_person(client, ADA)
    after = count_rows(client, others)
    assert after == before | {"touchpoints": before["touchpoints"] - 1}  # the login on the tablet
    assert count_rows(client, Named("store", ("phone",)))["touchpoints"] == 1
    assert rows(client, "SELECT dead_letter_id FROM dead_letters ORDER BY 1") == [
        *(("3",), ("4",), ("5",))
    ]
    funnel = "SELECT site, name, length(groupUniqArrayMerge(visitors)) FROM funnel_hours"
    assert rows(client, f"{funnel} GROUP BY site, name ORDER BY site, name") == [
        ("shop", "Order Completed", 2),
        ("shop", "Page Viewed", 2),
        ("store", "Page Viewed", 1),
    ]


def test_what_comes_back_to_the_aggregates_after_an_erasure_counts(client: Client) -> None:
    erase_person(client, ADA)
    visit(client, "phone", LOOK)
    funnel = "SELECT length(groupUniqArrayMerge(visitors)) FROM funnel_hours"
    assert rows(client, f"{funnel} WHERE name = 'Page Viewed'") == [(3,)]


@pytest.mark.usefixtures("environment")
def test_erase_shows_what_will_go_and_does_nothing_without_consent(client: Client) -> None:
    result = CliRunner().invoke(main, ["erase", "--person", "7"], input="n\n")
    assert result.exit_code == 1
    assert result.stdout.startswith("shop: laptop, phone, user:7\n        5 touchpoints\n")
    assert count_rows(client, ADA) == OF_ADA


@pytest.mark.usefixtures("environment")
def test_without_the_log_nothing_is_erased(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    [port] = free_ports(1)
    monkeypatch.setenv("TOUCHSTREAM_KAFKA_BOOTSTRAP_SERVERS", f"127.0.0.1:{port}")
    result = call("erase", "--identifier", "user:7", "--yes")
    assert result.exit_code == 1
    assert "nothing was erased, Kafka did not accept it" in result.stderr
    assert count_rows(client, ADA) == OF_ADA


@pytest.mark.usefixtures("environment")
def test_again_is_for_nobody_in_particular() -> None:
    for arguments in ((), ("--again", "--person", "7")):
        result = call("erase", *arguments)
        assert (result.exit_code, "give --again, or a person" in result.stderr) == (2, True)


def test_rows_from_after_the_erasure_stay(client: Client) -> None:
    homes = {name: partition_for(f"shop:{name}".encode(), 2) for name in ("phone", "laptop")}
    for name, home in homes.items():
        place = {"visitor_id": name, "kafka_partition": home}
        for number in (4, 5, 9, 10):
            about = place | {"version": number, "transition_id": f"{name}-{number}"}
            write(client, "transitions", about | {"transition_id": f"{name}-{number}"})
            away = about | {"kafka_partition": 1 - home, "transition_id": f"{name}-away-{number}"}
            write(client, "transitions", away)
    erased = Erased("shop", ("laptop", "phone"), 0, {0: Bounds(5, 10), 1: Bounds(5, 10)})
    erase_rows(client, erased, partitions=2)
    left = rows(client, "SELECT transition_id FROM transitions WHERE transition_id LIKE '%-%'")
    expected = {
        f"{name}-{rest}" for name in homes for rest in ("10", "away-5", "away-9", "away-10")
    }
    assert {str(id_) for (id_,) in left} & {f"{n}{r}" for n in homes for r in _ENDS} == expected


_ENDS = [f"-{where}{number}" for where in ("", "away-") for number in (4, 5, 9, 10)]


def test_who_may_only_read_is_told_who_may_erase(client: Client) -> None:
    client.set_client_setting("readonly", 2)
    with pytest.raises(EraseRefused, match="the one that runs `touchstream migrate`"):
        erase_person(client, ADA)
    assert count_rows(client, ADA) == OF_ADA
