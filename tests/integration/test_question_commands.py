"""The commands that ask a question, on the small shop: tables, JSON, CSV, the span before."""

import csv
import io
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from click.testing import CliRunner, Result
from clickhouse_connect.driver.client import Client

from pipeline.cli import main
from pipeline.reports.ask import ask
from pipeline.reports.written import waits
from schemas.questions import questions
from tests.support.engine import EngineServer
from tests.support.shopping import SPAN, shop

Run = Callable[..., Result]
SPAN_WORDS = ("--from", "2025-03-01T11:00", "--to", "2025-03-01T13:00")


@pytest.fixture(scope="module")
def client(engine: EngineServer) -> Iterator[Client]:
    with shop(engine) as client:
        yield client


@pytest.fixture
def run(client: Client, engine: EngineServer) -> Run:
    def run(*words: str) -> Result:
        where = {
            "TOUCHSTREAM_CLICKHOUSE_URL": engine.url,
            "TOUCHSTREAM_CLICKHOUSE_DATABASE": str(client.database),
            "TOUCHSTREAM_KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:1",
        }
        return CliRunner().invoke(main, words, env=where)

    return run


def said(run: Run, *words: str) -> list[dict[str, Any]]:
    ran = run(*words, *SPAN_WORDS, "--format", "json")
    assert ran.exit_code == 0, ran.output
    rows: list[dict[str, Any]] = msgspec.json.decode(ran.stdout)["rows"]
    return rows


@pytest.mark.parametrize(
    ("words", "question", "given"),
    [
        (("kpis", "--no-before"), "kpis", {"kpi": ""}),
        (("people",), "people_found", {"most": 50}),
        (("pages",), "pages", {"most": 50}),
        (("sources", "--by", "device"), "visits_by", {"by": "device", "most": 50}),
        (("newsletter", "--no-before"), "mailings", {"most": 50}),
        (("cohorts",), "cohorts", {}),
        (("paths", "--no-before"), "channel_paths", {"most": 50}),
        (("ask", "weak_points"), "weak_points", {"most": 50}),
        (("ask", "kpi_by", "--by", "device"), "kpi_by", {"kpi": "", "by": "device", "most": 50}),
        (("ask", "timeline", "--person", "ann"), "timeline", {"person": "ann", "most": 50}),
        (
            ("ask", "visits_over_time", "--step", "5m"),
            "visits_over_time",
            {"by": "source", "step": 300},
        ),
    ],
)
def test_a_command_says_what_its_question_answers(
    run: Run, client: Client, words: tuple[str, ...], question: str, given: dict[str, Any]
) -> None:
    answer = list(ask(client, question, **SPAN | given).named())
    assert said(run, *words) == msgspec.json.decode(msgspec.json.encode(answer))
    assert run(*words, *SPAN_WORDS).exit_code == 0


def test_every_question_can_be_asked_and_is_listed(run: Run) -> None:
    asked = {name: one for name, one in questions().items() if one.kind == "question"}
    assert [line.split()[0] for line in run("ask").stdout.splitlines()] == list(asked)
    assert run("ask", "timeline").exit_code == 2
    assert "did you mean weak_points" in run("ask", "weak_point").stderr


def test_a_kpi_stands_beside_the_one_before(run: Run) -> None:
    visits = next(row for row in said(run, "kpis") if row["kpi"] == "visits")
    assert (visits["value"], visits["before"]) == (3, 1)


def test_an_answer_says_as_of_when_and_what_it_leaves_out(run: Run) -> None:
    ran = run("pages", *SPAN_WORDS)
    assert "No touchpoint" not in ran.stdout
    assert "3 are of bots: they are left out." in ran.stdout
    assert "How much is still waiting in Kafka is not known" in ran.stdout
    found = msgspec.json.decode(run("pages", *SPAN_WORDS, "--format", "json").stdout)
    assert (found["freshness"]["bots"], found["freshness"]["waiting"]) == (3, None)


def test_an_answer_says_how_much_is_still_waiting() -> None:
    assert waits((0, 0)) == "Nothing is waiting in Kafka."
    said = "Records waiting in Kafka: 1,200 for the tracker, 7 for the sink."
    assert waits((1200, 7)) == said


def test_csv_has_the_names_above_and_the_notes_elsewhere(run: Run) -> None:
    ran = run("sources", *SPAN_WORDS, "--format", "csv")
    lines = list(csv.DictReader(io.StringIO(ran.stdout)))
    assert [(line["value"], line["visits"]) for line in lines] == [
        ("google", "2"),
        ("newsletter", "1"),
    ]
    assert "left out" in ran.stderr


def test_nothing_is_cut_in_a_pipe(run: Run) -> None:
    lines = run("kpis", "--wide", *SPAN_WORDS).stdout.splitlines()
    assert max(map(len, lines)) > 120
    assert "…" not in "".join(lines)


def test_kpis_are_narrow_unless_asked_for_all_their_columns(run: Run) -> None:
    narrow, wide = (run("kpis", *more, *SPAN_WORDS).stdout for more in ((), ("--wide",)))
    assert max(map(len, narrow.splitlines())) <= 120
    assert ("formula" in narrow, "formula" in wide) == (False, True)
    assert "formula" in said(run, "kpis")[0]


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (("--site", "nowhere"), "there is no site 'nowhere'; there are: shop"),
        (("--last", "week"), "'week' is not a length of time"),
        (("--zone", "Mars"), "no time zone 'Mars'"),
    ],
)
def test_what_cannot_be_asked_is_a_sentence_and_exit_code_2(
    run: Run, words: tuple[str, ...], error: str
) -> None:
    ran = run("pages", *words)
    assert ran.exit_code == 2
    assert error in ran.stderr


def test_times_are_told_in_the_zone_that_is_asked_for(run: Run) -> None:
    ran = run(
        "people",
        "--from",
        "2025-03-01T12:00",
        "--to",
        "2025-03-01T14:00",
        "--zone",
        "Europe/Berlin",
    )
    assert "2025-03-01 12:00 to 2025-03-01 14:00 Europe/Berlin" in ran.stdout
    assert "2025-03-01 13:33:00" not in ran.stdout.split("visits")[0]


@pytest.mark.parametrize(
    ("words", "part"),
    [
        (("attribution",), "credits"),
        (("map",), "cells"),
        (("funnel", "Product Viewed > Order Completed"), "steps"),
        (("funnel", "Product Viewed > Order Completed", "--by", "channel"), ""),
        (("report",), ""),
    ],
)
def test_an_answer_of_many_tables_comes_as_csv_too(
    run: Run, words: tuple[str, ...], part: str
) -> None:
    told = msgspec.json.decode(run(*words, *SPAN_WORDS, "--format", "json").stdout)
    ran = run(*words, *SPAN_WORDS, "--format", "csv")
    assert ran.exit_code == 0, ran.output
    rows = list(csv.DictReader(io.StringIO(ran.stdout)))
    if part:
        assert len(rows) == len(told[part]) > 0
        for row, same in zip(rows, told[part], strict=True):
            assert {name: str(same[name] if same[name] is not None else "") for name in same} == {
                name: row[name] for name in same
            }
    elif words[0] == "report":
        figures = {row["figure"]: row["value"] for row in rows}
        assert figures["touchpoints"] == str(told["touchpoints"])
        assert figures["by_visitor.reach.0"] == str(told["by_visitor"]["reach"][0])
        assert float(figures["revenue.0.net"]) == told["revenue"][0]["net"]
    else:
        assert {row["value"] for row in rows} == {"", *(one["value"] for one in told["parts"])}


@pytest.mark.parametrize(
    "words", [("report",), ("map",), ("attribution",), ("funnel", "Product Viewed > Product Added")]
)
def test_a_span_in_words_is_the_same_everywhere(run: Run, words: tuple[str, ...]) -> None:
    site = ("--site", "shop", "--format", "json")
    spans = [
        msgspec.json.decode(run(*words, *site, *more).stdout)["span"]
        for more in ((), SPAN_WORDS, ("--to", "2025-03-01"), ("--last", "7d", "--ago", "1d"))
    ]
    assert [spans[0][side][:4] for side in ("start", "end")] == ["1970", "2200"]
    assert spans[1] == {
        "site": "shop",
        "start": "2025-03-01T11:00:00Z",
        "end": "2025-03-01T13:00:00Z",
    }
    assert spans[2] == {
        "site": "shop",
        "start": "1970-01-01T00:00:00Z",
        "end": "2025-03-01T00:00:00Z",
    }
    start, end = (datetime.fromisoformat(spans[3][side]) for side in ("start", "end"))
    assert end - start == timedelta(days=7)
    in_berlin = run(*words, *site, "--from", "2025-03-01", "--zone", "Europe/Berlin").stdout
    began = datetime.fromisoformat(msgspec.json.decode(in_berlin)["span"]["start"])
    assert began == datetime(2025, 2, 28, 23, tzinfo=UTC)
    wrong = run(*words, *site, "--last", "7d", "--from", "2025-03-01")
    assert (wrong.exit_code, "not both" in wrong.stderr) == (2, True)
