"""Whatever is missing, broken or taken, each command says a sentence and ends with its code."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import click
import msgspec
import pytest
from click.testing import CliRunner, Result
from clickhouse_connect.driver.client import Client

from pipeline.cli import main
from schemas.journeys import load_models
from schemas.touchpoint import Touchpoint
from sinks.models import store_models
from tests.support.commands import commands
from tests.support.database import empty_database, migrated_database, track
from tests.support.engine import EngineServer
from tests.support.ports import free_ports

SAMPLES = {
    "body": "mail.html",
    "dead_letter_id": "0" * 32,
    "file": "lifecycle",
    "files": "rows.csv",
    "question": "visits_over_time",
    "role": "track",
    "sql": "SELECT 1",
    "steps": "Page Viewed > Order Completed",
    "topics": "touchpoints.raw",
    "url": "https://shop.example/",
}
"""What stands for an argument; of an option that must be given it is `shop`."""

MORE = {
    "erase": ["--again"],
    "export": ["--person", "7"],
    "import": ["--mapping", "mapping.toml"],
    "journeys explain": ["--person", "7"],
    "rebuild": ["--site", "shop"],
    "watch": ["--backtest", "2025-01-01", "2025-01-02"],
}
ROLES = {"collect", "track", "drain", "sink", "watch", "live", "webhook"}
RUN_ON = {*ROLES - {"watch"}, "demo", "engine", "up", "simulate", "kafka install"}
"""These are processes, fetch something, or ask the collector alone."""

MAPPING = """
channel = "website"
[columns]
anonymous_id = "who"
name = "what"
occurred_at = "when"
"""


CALLS = {name: command for name, command in commands(main) if name not in RUN_ON}


def words_of(name: str) -> list[str]:
    words = [*name.split(), *MORE.get(name, [])]
    for parameter in CALLS[name].params:
        if isinstance(parameter, click.Argument):
            words.append(SAMPLES[str(parameter.name)])
        elif parameter.required:
            words += [parameter.opts[0], "7" if parameter.type is not click.STRING else "shop"]
    return words


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where a shop owner stands, with a file to import and nobody who answers."""
    (tmp_path / "rows.csv").write_text("who,what,when\nada,Page Viewed,2025-01-01T00:00:00\n")
    (tmp_path / "mapping.toml").write_text(MAPPING)
    (tmp_path / "mail.html").write_text("<p>")
    monkeypatch.chdir(tmp_path)
    kafka, clickhouse, collector = free_ports(3)
    settings = {
        "KAFKA_BOOTSTRAP_SERVERS": f"127.0.0.1:{kafka}",
        "CLICKHOUSE_URL": f"http://127.0.0.1:{clickhouse}",
        "COLLECTOR_PORT": str(collector),
        "SITE_SALT": "s" * 32,
        "LINK_KEYS": "k" * 32,
        "WRITE_KEYS": "wk:shop",
        "WEBHOOK_ENDPOINTS": f'{{"a": {{"url": "http://127.0.0.1:1/", "secret": "{"w" * 32}"}}}}',
    }
    for setting, value in settings.items():
        monkeypatch.setenv(f"TOUCHSTREAM_{setting}", value)
    return tmp_path


def run(name: str) -> Result:
    return CliRunner().invoke(main, words_of(name), input="")


def assert_is_a_sentence(result: Result, codes: set[int]) -> None:
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    assert result.exit_code in codes, result.output
    if result.exit_code:
        said = result.stderr.strip().splitlines()
        assert any(line.startswith("Error: ") for line in said), result.stderr
        assert "WARNING" not in result.stderr
        assert "Traceback" not in result.stderr


@pytest.mark.parametrize("name", CALLS)
def test_without_kafka_and_clickhouse(folder: Path, name: str) -> None:
    assert_is_a_sentence(run(name), {0, 69})


@pytest.fixture(scope="module")
def empty(engine: EngineServer) -> Iterator[Client]:
    with empty_database(engine) as client:
        yield client


@pytest.mark.parametrize("name", CALLS)
def test_with_a_database_without_tables(
    folder: Path, name: str, engine: EngineServer, empty: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    if name in {"migrate", "health"}:  # the one makes them, the other does not ask for them
        return
    monkeypatch.setenv("TOUCHSTREAM_CLICKHOUSE_URL", engine.url)
    monkeypatch.setenv("TOUCHSTREAM_CLICKHOUSE_DATABASE", str(empty.database))
    result = run(name)
    assert_is_a_sentence(result, {0, 69})
    assert not result.exit_code or "migrate" in result.stderr or "Kafka" in result.stderr


WITHOUT_SETTINGS = {"openapi", "init", "journeys check"}


@pytest.mark.parametrize("name", sorted(CALLS.keys() - WITHOUT_SETTINGS))
def test_with_a_broken_file_of_settings(folder: Path, name: str) -> None:
    (folder / "touchstream.toml").write_text("write_keys = {")
    result = run(name)
    assert_is_a_sentence(result, {2})
    assert "touchstream.toml: not TOML" in result.stderr


def touchstream(*words: str, seconds: int = 60) -> subprocess.CompletedProcess[str]:
    """A process of its own, with the settings of this one."""
    return subprocess.run(
        [sys.executable, "-m", "pipeline.cli", *words],
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
        capture_output=True,
        text=True,
        timeout=seconds,
        check=False,
    )


def assert_says(ended: subprocess.CompletedProcess[str], words: str, code: int) -> None:
    assert ended.returncode == code, ended.stderr
    assert words in ended.stderr
    assert "Traceback" not in ended.stderr
    assert "WARNING" not in ended.stderr


@pytest.mark.parametrize(
    ("role", "setting"),
    [
        ("collect", "COLLECTOR_PORT"),
        ("drain", "DRAIN_METRICS_PORT"),
        ("sink", "SINK_METRICS_PORT"),
        ("webhook", "WEBHOOK_METRICS_PORT"),
        ("watch", "WATCH_METRICS_PORT"),
        ("live", "LIVE_PORT"),
        ("up", "COLLECTOR_PORT"),
    ],
)
def test_a_port_that_is_taken(
    folder: Path,
    engine: EngineServer,
    monkeypatch: pytest.MonkeyPatch,
    role: str,
    setting: str,
) -> None:
    monkeypatch.setenv("TOUCHSTREAM_CLICKHOUSE_URL", engine.url)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        monkeypatch.setenv(f"TOUCHSTREAM_{setting}", port)
        ended = touchstream(role)
    assert_says(ended, f"127.0.0.1:{port}", 69 if role == "up" else 1)
    assert f"TOUCHSTREAM_{setting}" in ended.stderr


@pytest.mark.parametrize("role", ["track", "drain", "webhook"])
def test_a_role_without_kafka(folder: Path, monkeypatch: pytest.MonkeyPatch, role: str) -> None:
    for each in ("TRACKER", "DRAIN", "WEBHOOK"):
        monkeypatch.setenv(f"TOUCHSTREAM_{each}_METRICS_PORT", "0")
    assert_says(touchstream(role), "no Kafka broker answers at 127.0.0.1", 69)


@pytest.mark.parametrize("role", sorted(ROLES | {"up"}))
def test_a_role_with_settings_that_cannot_be_used(
    folder: Path, monkeypatch: pytest.MonkeyPatch, role: str
) -> None:
    monkeypatch.setenv("TOUCHSTREAM_WRITE_KEYS", "wk")
    assert_says(touchstream(role), "TOUCHSTREAM_WRITE_KEYS", 2)


@pytest.mark.parametrize("words", [["up"], ["live", "--link"]])
def test_a_folder_that_cannot_be_written_to(folder: Path, words: list[str]) -> None:
    (folder / ".touchstream").write_text("not a folder")
    assert_says(touchstream(*words), "TOUCHSTREAM_EMBEDDED_PATH", 2)


# --- what is not there ---------------------------------------------------------------------------

SPAN = ["--from", "2025-01-02", "--to", "2025-01-01"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["report", "--site", "shpo"], "no site 'shpo'; did you mean shop"),
        (["verify", "--site", "shpo"], "no site 'shpo'"),
        (["map", "--site", "shpo"], "no site 'shpo'"),
        (["attribution", "--site", "shpo"], "no site 'shpo'"),
        (["funnel", "Page Viewed > Order Completed", "--site", "shpo"], "no site 'shpo'"),
        (["dead-letters", "list", "--site", "shpo"], "no site 'shpo'"),
        (["replay", "dead-letters", "--site", "shpo"], "no site 'shpo'"),
        (["journeys", "explain", "--person", "7", "--site", "shpo"], "no site 'shpo'"),
        (["export", "--person", "7", "--site", "shpo"], "no site 'shpo'"),
        (["erase", "--person", "7", "--site", "shpo"], "no site 'shpo'"),
        (["rebuild", "--site", "shpo"], "no touchpoints of shpo"),
        (["rebuild", "--site", "shop", "--from-database", "n"], "database n cannot be read"),
        (["funnel", "Page Vewed > Order Completed"], "did you mean Page Viewed"),
        (["map", "--segment", "gold"], "no segment 'gold'"),
        (["map", "--model", "lifecicle"], "do not have the model 'lifecicle'"),
        (["dead-letters", "list", "--stage", "import2"], "'import2' is not one of"),
        (["dead-letters", "list", "--reason", "rotten"], "'rotten' is not one of"),
        (["dead-letters", "show", "0000"], "no dead letter 0000"),
        (["replay", "topic", "sesions"], "nobody reads sesions"),
        (["attribution", "--model", "best"], "'best' is not one of"),
        (["report", *SPAN], "before it begins"),
        (["map", *SPAN], "before it begins"),
        (["attribution", *SPAN], "before it begins"),
        (["funnel", "Page Viewed > Order Completed", *SPAN], "before it begins"),
        (["rebuild", "--site", "shop", *SPAN], "is no time at all"),
        (["watch", "--backtest", "2025-01-02", "2025-01-01"], "TO must be later than FROM"),
    ],
)
def test_what_is_not_there_is_said_and_ends_with_2(
    folder: Path, shop: Client, words: list[str], said: str
) -> None:
    result = CliRunner().invoke(main, words)
    assert result.exit_code == 2, result.output
    assert said in result.stderr


def test_a_site_of_the_settings_may_still_be_empty(
    folder: Path, shop: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TOUCHSTREAM_WRITE_KEYS", "wk:shpo")
    assert CliRunner().invoke(main, ["report", "--site", "shpo"]).exit_code == 0


@pytest.fixture(scope="module")
def filled(engine: EngineServer) -> Iterator[Client]:
    """A database with one touchpoint of one shop."""
    at = datetime(2025, 1, 1, tzinfo=UTC)
    first = Touchpoint(
        touchpoint_id="1",
        type="page",
        name="Page Viewed",
        channel="shop",
        site="shop",
        occurred_at=at,
        received_at=at,
        anonymous_id="ada",
        properties=msgspec.Raw(b"{}"),
    )
    with migrated_database(engine) as client:
        store_models(client, load_models(["lifecycle"]))
        track(client, [first])
        yield client


@pytest.fixture
def shop(engine: EngineServer, filled: Client, monkeypatch: pytest.MonkeyPatch) -> Client:
    """The database, which the settings name."""
    monkeypatch.setenv("TOUCHSTREAM_CLICKHOUSE_URL", engine.url)
    monkeypatch.setenv("TOUCHSTREAM_CLICKHOUSE_DATABASE", str(filled.database))
    return filled


NUMBERS = [
    (name, option)
    for name, command in commands(main)
    for option in command.params
    if isinstance(option.type, click.types.IntParamType | click.types.FloatParamType)
    and option.name != "seed"
]


@pytest.mark.parametrize(("name", "option"), NUMBERS)
def test_no_count_and_no_length_is_negative(name: str, option: click.Parameter) -> None:
    with pytest.raises(click.BadParameter):
        option.type.convert("-1", option, None)


@pytest.mark.parametrize("lang", ["en", "de"])
def test_labels_are_in_the_language_that_is_asked_for(
    folder: Path, shop: Client, monkeypatch: pytest.MonkeyPatch, lang: str
) -> None:
    asked = CliRunner().invoke(main, ["map", "--site", "shop", "--lang", lang]).stdout
    monkeypatch.setenv("TOUCHSTREAM_LANGUAGE", lang)
    assert asked == CliRunner().invoke(main, ["map", "--site", "shop"]).stdout
    assert ("Aufmerksamkeit" in asked, "Awareness" in asked) == (lang == "de", lang == "en")
