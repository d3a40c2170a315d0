"""The tables of the watch: alerts, and the state of its judges. Shell."""

from collections.abc import Sequence

import msgspec
from clickhouse_connect.driver.client import Client

from pipeline.roles.watch.judge import Memory
from pipeline.roles.watch.memory import read, written
from pipeline.roles.watch.site import Question
from schemas.alert import Alert


def keep_alerts(client: Client, alerts: Sequence[Alert]) -> None:
    """Write alerts; writing a version twice gives one row."""
    if alerts:
        rows = b"\n".join(msgspec.json.encode(alert) for alert in alerts)
        client.raw_insert(
            "alerts",
            insert_block=rows,
            fmt="JSONEachRow",
            settings={"date_time_input_format": "best_effort"},
        )


def open_alerts(client: Client) -> list[Alert]:
    """Read the alerts that fire."""
    lines = client.raw_query(
        "SELECT * FROM alerts FINAL WHERE state = 'firing'",
        fmt="JSONEachRow",
        settings={"date_time_output_format": "iso", "output_format_json_quote_decimals": 0},
    )
    return _alerts.decode_lines(lines)


_alerts = msgspec.json.Decoder(Alert, strict=False)


def keep_memory(client: Client, site: str, minute: int, memories: dict[Question, Memory]) -> None:
    """Write the memories of a site after `minute`."""
    client.insert(
        "watch_states",
        [(site, minute, written(memories), minute)],
        column_names=["site", "minute", "state", "version"],
    )


def read_memories(client: Client) -> dict[str, tuple[int, dict[Question, Memory]]]:
    """Read the last judged minute of each site, and its memories."""
    rows = client.query("SELECT site, minute, state FROM watch_states FINAL").result_rows
    return {site: (minute, read(state)) for site, minute, state in rows}
