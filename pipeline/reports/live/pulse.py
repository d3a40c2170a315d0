"""The pulse of a site: how fresh the tables are, and what the site has at all."""

from dataclasses import dataclass
from datetime import datetime

from clickhouse_connect.driver.client import Client

from pipeline.reports.live.asking import ask, rows_of
from pipeline.reports.live.view import View


@dataclass(frozen=True, kw_only=True)
class Pulse:
    """Whether a site has data, when the `newest` touchpoint arrived, how many arrived in the
    `last_minute`, and how many were `refused` in the last hour.
    """

    is_empty: bool
    newest: datetime | None
    last_minute: int
    refused: int


def read_pulse(client: Client, view: View) -> Pulse:
    """Take the pulse of a site, at the end of the view."""
    return rows_of(Pulse, client, view, "pulse")[0]


def read_written(client: Client) -> int:
    """Return a number that is another one whenever anything was written."""
    return int(next(ask(client, View(), "written"))["written"])


def read_sites(client: Client) -> list[str]:
    """Name the sites with data."""
    return [row["site"] for row in ask(client, View(), "sites")]


def read_channels(client: Client, view: View) -> list[str]:
    """Name the channels on which anything ever happened."""
    return [row["channel"] for row in ask(client, view, "channels")]


def read_segments(client: Client, view: View) -> list[str]:
    """Name the segments that people of the site belong to, the largest first."""
    return [row["segment"] for row in ask(client, view, "segments")]
