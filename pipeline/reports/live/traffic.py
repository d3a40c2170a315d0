"""Where visits come from, their devices, and what they look at, compared with the span before."""

from dataclasses import dataclass

from clickhouse_connect.driver.client import Client

from pipeline.reports.live.asking import rows_of
from pipeline.reports.live.view import SLICES, VISITORS_OF_SEGMENT, View

_MOST_VALUES = 12

# A visit is a session with a page view: a delivered mail alone is no visit.
_TRAFFIC = """
SELECT dimension, value, sum(is_now) AS visits, sum(NOT is_now) AS before,
    sum(is_now AND ordered) AS orders,
    sumForEach(arrayMap(n -> n = place AND is_now, range({slices}))) AS line,
    sumForEach(arrayMap(n -> n = place AND NOT is_now, range({slices}))) AS line_before
FROM
(
    SELECT found.1 AS dimension, found.2 AS value, ordered, at >= {{start:Int64}} AS is_now,
        least({slices} - 1, intDiv(
            at - if(is_now, {{start:Int64}}, 2 * {{start:Int64}} - {{end:Int64}}), {{slice:Int64}}
        )) AS place
    FROM
    (
        SELECT toUnixTimestamp64Milli(started_at) AS at, orders > 0 AS ordered,
            arrayJoin(arrayFilter(found -> found.2 != '', [
                ('source', toString(channel_group)),
                ('campaign', toString(if(
                    traffic_campaign = '', utm_campaign, traffic_campaign
                ))),
                ('device', toString(device)),
                ('country', toString(country)),
                ('entry', entry_path)
            ])) AS found
        FROM sessions FINAL
        WHERE NOT is_bot AND page_views > 0 AND {visited}
        UNION ALL
        SELECT toUnixTimestamp64Milli(occurred_at), false, ('page', path)
        FROM touchpoints FINAL
        WHERE NOT is_bot AND NOT is_late AND type IN ('page', 'screen') AND path != '' AND {viewed}
    )
)
GROUP BY dimension, value
ORDER BY dimension, visits DESC, before DESC, value
LIMIT {most} BY dimension"""

_IN_BOTH = """site = {{site:String}}
    AND {time} >= fromUnixTimestamp64Milli(2 * {{start:Int64}} - {{end:Int64}})
    AND {time} < fromUnixTimestamp64Milli({{end:Int64}})"""


@dataclass(frozen=True, kw_only=True)
class Traffic:
    """Visits by one value of a dimension: source, campaign, device, country or entry page.

    `orders` is how many of them ordered. For a `page`, views are counted. `line` covers the span,
    `line_before` the span before.
    """

    dimension: str
    value: str
    visits: int
    before: int
    orders: int
    line: tuple[int, ...]
    line_before: tuple[int, ...]


def read_traffic(client: Client, view: View) -> tuple[Traffic, ...]:
    """Count visits by the most frequent values of each dimension."""
    viewed = " AND channel = {channel:String}" if view.channel else ""
    viewed += f" AND visitor_id IN ({VISITORS_OF_SEGMENT})" if view.segment else ""
    statement = _TRAFFIC.format(
        slices=SLICES,
        most=_MOST_VALUES,
        visited=_IN_BOTH.format(time="started_at") + view.narrows(),
        viewed=_IN_BOTH.format(time="occurred_at") + viewed,
    )
    return rows_of(Traffic, client, view, statement)
