"""`touchstream journeys`: which models there are, what is in a file, why a person is in a phase."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from clickhouse_connect.driver.client import Client

from pipeline.cli import main
from pipeline.reports.moves.answer import NobodyFound, read_moves
from pipeline.reports.moves.rule_words import conditions
from pipeline.settings import Settings
from pipeline.tracker.rules import rules_of
from schemas.codec import encode
from schemas.journeys import load_models
from tests.support.database import insert_json, migrated_database
from tests.support.engine import EngineServer
from tests.support.journeys import DAY, MINUTE, NOON
from tests.support.tracker import Log, Worker, touchpoint

RULES = rules_of(Settings(_secrets_dir=None))
ADA = {"anonymous_id": "ada", "user_id": "7"}
STORY = [
    touchpoint("other", NOON, anonymous_id="bob"),
    touchpoint("look", NOON, url="https://shop.example/start", **ADA),
    touchpoint("add", NOON + MINUTE, name="Product Added", channel="shop", **ADA),
    touchpoint("order", NOON + 2 * MINUTE, name="Order Completed", channel="shop", **ADA),
    touchpoint("again", NOON + 2 * DAY, **ADA),
    touchpoint("complaint", NOON + 3 * DAY, name="Complaint Made", channel="phone"),
]
"""In order of their times; the person has logged in from the start."""


@pytest.fixture(scope="module")
def client(engine: EngineServer) -> Iterator[Client]:
    with migrated_database(engine) as client:
        log = Log()
        for value in STORY:
            log.say(value, NOON + 3 * DAY)
        worker = Worker(log, RULES)
        for table, rows in worker.finish().rows.items():
            insert_json(client, table, [encode(row) for row in rows.values()])
        yield client


@pytest.fixture
def environment(
    engine: EngineServer, client: Client, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TOUCHSTREAM_CLICKHOUSE_URL", f"http://{engine.host}:{engine.port}")
    monkeypatch.setenv("TOUCHSTREAM_CLICKHOUSE_DATABASE", str(client.database))
    monkeypatch.setenv("COLUMNS", "200")
    return tmp_path


def journeys(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["journeys", *arguments])


def told(text: str) -> str:
    return re.sub(r"[\s│┃]+", " ", text)


# --- explain -------------------------------------------------------------------------------------


def test_every_move_names_its_touchpoint_and_its_rule(client: Client) -> None:
    moves = read_moves(client, visitor="ada", model="lifecycle")
    assert [(m.kind, m.to_phase, m.touchpoint_name, m.channel, m.path, m.rule) for m in moves] == [
        ("enter", "awareness", "Page Viewed", "website", "/start", "first_contact"),
        ("skip", "purchase", "Product Added", "shop", "", "buying"),
        ("skip", "loyalty", "Page Viewed", "website", "", "repeat_visit"),
        ("back", "service", "Complaint Made", "phone", "", "help_after_purchase"),
    ]


def test_a_person_is_found_by_its_id_by_its_user_id_and_by_its_visitor(client: Client) -> None:
    by_visitor = read_moves(client, visitor="ada")
    assert {move.model for move in by_visitor} == {ready.model.id for ready in RULES.models}
    assert read_moves(client, person="7") == by_visitor
    assert read_moves(client, person=by_visitor[0].person_id, site="shop") == by_visitor
    assert {move.visitor_id for move in by_visitor} == {"ada"}


def test_who_is_not_there_is_said_not_to_be_there(client: Client) -> None:
    with pytest.raises(NobodyFound, match=r"^no transition of eve: the view person_transitions"):
        read_moves(client, person="eve")
    with pytest.raises(NobodyFound, match=r"^no transition of ada in the model none:"):
        read_moves(client, visitor="ada", model="none")
    with pytest.raises(NobodyFound):
        read_moves(client, visitor="ada", site="store")


@pytest.mark.usefixtures("environment")
def test_explain_says_where_a_person_is_and_why() -> None:
    result = journeys("explain", "--visitor", "ada", "--model", "lifecycle")
    text = told(result.output)
    assert result.exit_code == 0
    assert "on shop is in Service, cycle 1, since 2026-01-04 12:00" in text
    assert ("back Service Complaint Made phone help_after_purchase after a purchase") in text
    assert "Product Added shop buying Product Added by its name" in text
    assert "other rules" not in text
    german = told(journeys("explain", "--visitor", "ada", "--lang", "de").output)
    assert "is in Lieferung und Nutzung, cycle 1" in german


def test_explain_says_when_rows_are_of_other_rules(
    environment: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (environment / "own.toml").write_text(OWN)
    monkeypatch.setenv("TOUCHSTREAM_JOURNEY_MODELS", '["own.toml"]')
    text = told(journeys("explain", "--visitor", "ada", "--model", "aida").output)
    assert "this rule is in no model file any more" in text
    assert "other rules than those of now" in text


@pytest.mark.usefixtures("environment")
@pytest.mark.parametrize(
    ("arguments", "exit_code", "complaint"),
    [
        ((), 2, "give either --person or --visitor"),
        (("--person", "a", "--visitor", "b"), 2, "give either --person or --visitor"),
        (("--person", "eve"), 2, "no transition of eve"),
    ],
)
def test_explain_says_what_is_missing(
    arguments: tuple[str, ...], exit_code: int, complaint: str
) -> None:
    result = journeys("explain", *arguments)
    assert (result.exit_code, complaint in result.output) == (exit_code, True)


# --- check and list ------------------------------------------------------------------------------

OWN = """
id = "own"
version = "3"
funnel = ["Product Viewed", "Order Completed"]
skips = [{ leave = "a", enter = "c" }]
falls_back = [{ leave = "c", enter = "a" }]
cycle = { leave = ["c"], enter = ["b"], history = "after_purchase" }
phases = [
    { id = "a", en = "First", de = "Erste", longest = "P2D" },
    { id = "b", en = "Second", de = "Zweite" },
    { id = "c", en = "Third", de = "Dritte" },
]
[[rules]]
id = "choosy"
phase = "b"
touchpoints = ["Product Viewed"]
channels = ["shop", "app"]
where = [{ property = "step", one_of = ["x", 2] }, { property = "stars", at_least = 4.5 }]
history = "before_purchase"
times = 3
visit = 2
within = "cycle"
[[rules]]
id = "plain"
phase = "a"
touchpoints = ["Product Viewed", "Page Viewed"]
"""


def test_check_lists_phases_rules_ways_and_what_no_rule_leads_to(environment: Path) -> None:
    (environment / "own.toml").write_text(OWN)
    result = journeys("check", "own.toml")
    text = told(result.output)
    assert result.exit_code == 0
    for line in (
        "own, version 3: may skip from a to c; falls back from c to a; begins the next cycle",
        "next cycle from c into b, after a purchase of the cycle",
        "a First 2 days plain",
        "b Second choosy",
        "plain a Product Viewed, Page Viewed",
        "No rule leads to the phase c.",
    ):
        assert line in text


def test_check_puts_every_condition_of_a_rule_in_words(environment: Path) -> None:
    (environment / "own.toml").write_text(OWN)
    model = load_models([str(environment / "own.toml")])[0]
    choosy, plain = (conditions(rule) for rule in model.rules)
    assert choosy.split(", ") == [
        "on shop or app",
        "with step x or 2",
        "with stars of at least 4.5",
        "before a purchase of the cycle",
        "at least touchpoint 3 of its name of the cycle",
        "in visit 2 of the cycle or later",
    ]
    assert plain == ""


@pytest.mark.usefixtures("environment")
def test_check_knows_shipped_models_by_name() -> None:
    result = journeys("check", "canvas")
    assert (result.exit_code, "No rule" in result.output) == (0, False)
    assert "with survey nps, with score of at least 9" in told(result.output)


def test_check_says_what_is_wrong_and_ends_with_2(environment: Path) -> None:
    (environment / "own.toml").write_text(OWN.replace('enter = "c"', 'enter = "b"'))
    result = journeys("check", "own.toml")
    assert (result.exit_code, result.output) == (
        2,
        "Error: own.toml: skips 0: from a to b no phase is left out\n",
    )


def test_list_shows_what_is_enabled_and_what_is_not(
    environment: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (environment / "own.toml").write_text(OWN)
    monkeypatch.setenv("TOUCHSTREAM_JOURNEY_MODELS", '["own.toml", "aida"]')
    text = told(journeys("list").output)
    assert "own 3 a → b → c enabled, the default" in text
    assert "aida 1 attention → interest → desire → action enabled" in text
    assert "purchase 1 before → during → after not enabled" in text
