"""How long tables keep their rows, against the real engine."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import get_args

import pytest
from click.testing import CliRunner
from clickhouse_connect.driver.client import Client

from pipeline.cli import main
from pipeline.settings.kinds import RetainedTable
from sinks.retention import TIME_OF, apply_retention
from tests.support.database import insert_json, migrated_database
from tests.support.engine import EngineServer

DAY = timedelta(days=1)


@pytest.fixture
def client(engine: EngineServer) -> Iterator[Client]:
    with migrated_database(engine) as client:
        yield client


def test_every_table_with_a_time_can_be_named_in_the_settings() -> None:
    assert set(TIME_OF) == set(get_args(RetainedTable))


def test_a_table_is_altered_when_its_retention_changes_and_only_then(client: Client) -> None:
    everywhere = dict.fromkeys(TIME_OF, 400 * DAY)
    assert apply_retention(client, {}) == []
    assert apply_retention(client, everywhere) == sorted(TIME_OF)
    assert apply_retention(client, everywhere) == []
    assert apply_retention(client, everywhere | {"sessions": 30 * DAY}) == ["sessions"]
    assert apply_retention(client, {"sessions": 30 * DAY}) == sorted({*TIME_OF} - {"sessions"})
    assert apply_retention(client, {}) == ["sessions"]


def test_rows_past_their_time_go_and_younger_ones_stay(client: Client) -> None:
    now = datetime.now(UTC)
    rows = (
        f'{{"touchpoint_id": "{days}", "site": "shop", "occurred_at": "{now - days * DAY:%FT%TZ}"}}'
        for days in (1, 29, 31, 700)
    )
    insert_json(client, "touchpoints", (row.encode() for row in rows))
    apply_retention(client, {"touchpoints": 30 * DAY})
    client.command("OPTIMIZE TABLE touchpoints FINAL")
    left = client.query("SELECT touchpoint_id FROM touchpoints ORDER BY touchpoint_id").result_rows
    assert [str(id_) for (id_,) in left] == ["1", "29"]


def test_migrate_applies_what_the_settings_say_and_says_what_it_changed(
    engine: EngineServer, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TOUCHSTREAM_CLICKHOUSE_URL", f"http://{engine.host}:{engine.port}")
    monkeypatch.setenv("TOUCHSTREAM_CLICKHOUSE_DATABASE", str(client.database))
    monkeypatch.setenv("TOUCHSTREAM_TABLE_RETENTION", '{"touchpoints": "P400D"}')
    assert CliRunner().invoke(main, ["migrate"]).stdout == (
        "retention of touchpoints: 400 days, 0:00:00\n0 applied; the tables are up to date\n"
    )
    monkeypatch.delenv("TOUCHSTREAM_TABLE_RETENTION")
    assert CliRunner().invoke(main, ["migrate"]).stdout == (
        "retention of touchpoints: for ever\n0 applied; the tables are up to date\n"
    )


@pytest.mark.parametrize("value", ['{"links": "P9D"}', '{"touchpoints": "PT23H"}'])
def test_a_table_without_a_time_or_less_than_a_day_is_refused(
    value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TOUCHSTREAM_TABLE_RETENTION", value)
    result = CliRunner().invoke(main, ["migrate"])
    assert result.exit_code == 2
    assert "TOUCHSTREAM_TABLE_RETENTION." in result.stderr
