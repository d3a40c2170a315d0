"""The pulse of a site: how fresh the tables are, and what the site has at all."""

from dataclasses import dataclass
from datetime import datetime

from clickhouse_connect.driver.client import Client

from pipeline.reports.live.asking import ask, rows_of
from pipeline.reports.live.view import View

# Only the last days, so that the cost does not grow with the history.
_PULSE = """
WITH fromUnixTimestamp64Milli({end:Int64}) AS now
SELECT
    toBool((SELECT count() FROM (
        SELECT 1 FROM touchpoints WHERE site = {site:String} LIMIT 1)) = 0) AS is_empty,
    (SELECT maxOrNull(received_at) FROM touchpoints
        WHERE site = {site:String} AND occurred_at >= now - INTERVAL 2 DAY) AS newest,
    (SELECT count() FROM touchpoints
        WHERE site = {site:String} AND occurred_at >= now - INTERVAL 1 DAY
        AND received_at >= now - INTERVAL 1 MINUTE) AS last_minute,
    (SELECT count() FROM dead_letters
        WHERE site IN ({site:String}, '') AND at >= now - INTERVAL 1 HOUR) AS refused,
    (SELECT max(version) FROM sessions
        WHERE site = {site:String} AND started_at >= now - INTERVAL 2 DAY) AS judged,
    (SELECT max(version) FROM abandonments
        WHERE site = {site:String} AND opened_at >= now - INTERVAL 8 DAY) AS left_behind"""

_SITES = "SELECT DISTINCT site FROM touchpoints WHERE site != '' ORDER BY site LIMIT 200"

_CHANNELS = """
SELECT toString(channel) AS channel FROM inventory_states
WHERE site = {site:String} GROUP BY channel ORDER BY count() DESC, channel"""

_SEGMENTS = """
SELECT newest AS segment FROM (
    SELECT argMaxMerge(segment) AS newest FROM segment_states WHERE site = {site:String}
    GROUP BY visitor_id)
GROUP BY segment ORDER BY count() DESC, segment LIMIT 30"""


@dataclass(frozen=True, kw_only=True)
class Pulse:
    """Whether a site has data, when the `newest` touchpoint arrived, how many arrived in the
    `last_minute`, how many were `refused` in the last hour, and marks that grow with every fact.
    """

    is_empty: bool
    newest: datetime | None
    last_minute: int
    refused: int
    judged: int
    left_behind: int


def read_pulse(client: Client, view: View) -> Pulse:
    """Take the pulse of a site, at the end of the view."""
    return rows_of(Pulse, client, view, _PULSE)[0]


def read_sites(client: Client) -> list[str]:
    """Name the sites with data."""
    return [site for (site,) in client.query(_SITES).result_rows]


def read_channels(client: Client, view: View) -> list[str]:
    """Name the channels on which anything ever happened."""
    return [row["channel"] for row in ask(client, view, _CHANNELS)]


def read_segments(client: Client, view: View) -> list[str]:
    """Name the segments that people of the site belong to, the largest first."""
    return [row["segment"] for row in ask(client, view, _SEGMENTS)]
