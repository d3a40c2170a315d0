"""What is going on: how fresh the tables are, and what a site has at all."""

from dataclasses import dataclass
from datetime import datetime

from clickhouse_connect.driver.client import Client

from pipeline.reports.live.view import View, ask, rows_of

_PULSE = """
SELECT
    (SELECT count() FROM touchpoints WHERE site = {site:String}) AS touchpoints,
    (SELECT maxOrNull(received_at) FROM touchpoints WHERE site = {site:String}
        AND occurred_at >= fromUnixTimestamp64Milli({end:Int64} - 7 * 86400000)) AS newest,
    (SELECT count() FROM touchpoints WHERE site = {site:String}
        AND occurred_at >= fromUnixTimestamp64Milli({end:Int64} - 7200000)
        AND received_at >= fromUnixTimestamp64Milli({end:Int64} - 60000)) AS last_minute,
    (SELECT count() FROM touchpoints WHERE site = {site:String} AND is_late
        AND occurred_at >= fromUnixTimestamp64Milli({start:Int64})
        AND occurred_at < fromUnixTimestamp64Milli({end:Int64})) AS late,
    (SELECT count() FROM dead_letters WHERE site IN ({site:String}, '')
        AND at >= fromUnixTimestamp64Milli({start:Int64})
        AND at < fromUnixTimestamp64Milli({end:Int64})) AS refused,
    (SELECT max(version) FROM sessions WHERE site = {site:String}) AS judged,
    (SELECT count() FROM abandonments WHERE site = {site:String}) AS abandonments"""

_SITES = "SELECT DISTINCT site FROM touchpoints WHERE site != '' ORDER BY site LIMIT 200"

_CHANNELS = """
SELECT toString(channel) AS channel FROM inventory_states
WHERE site = {site:String} GROUP BY channel ORDER BY count() DESC, channel"""

_SEGMENTS = """
SELECT segment FROM segments WHERE site = {site:String}
GROUP BY segment ORDER BY count() DESC, segment LIMIT 30"""


@dataclass(frozen=True, kw_only=True)
class Pulse:
    """When something of the site last came in, and marks that change with every new row."""

    touchpoints: int
    newest: datetime | None
    last_minute: int
    late: int
    refused: int
    judged: int
    abandonments: int


def read_pulse(client: Client, view: View) -> Pulse:
    """Take the pulse of a site; it costs hardly anything."""
    return rows_of(Pulse, client, view, _PULSE)[0]


def read_sites(client: Client) -> list[str]:
    """Name the sites of which there is anything."""
    return [site for (site,) in client.query(_SITES).result_rows]


def read_channels(client: Client, view: View) -> list[str]:
    """Name the channels on which anything ever happened."""
    return [row["channel"] for row in ask(client, view, _CHANNELS)]


def read_segments(client: Client, view: View) -> list[str]:
    """Name the segments that people of the site belong to, the largest first."""
    return [row["segment"] for row in ask(client, view, _SEGMENTS)]
