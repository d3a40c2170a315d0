"""The independent check: the tracker's sessions against those ClickHouse computes.

The two share only the rule (a silence longer than the gap starts a new session): here window
functions over all touchpoints, there a fold over the stream. They must agree exactly.
"""

from datetime import datetime, timedelta
from typing import Literal, NamedTuple

from clickhouse_connect.driver.client import Client

from schemas.times import length

SESSIONISE = """
SELECT
    site,
    visitor_id,
    min(occurred_at) AS started_at,
    max(occurred_at) AS ended_at,
    count() AS touchpoints,
    argMin(touchpoint_id, (occurred_at, turn, touchpoint_id)) AS first_touchpoint_id
FROM
(
    SELECT
        *,
        sum(is_first) OVER (PARTITION BY site, visitor_id ORDER BY occurred_at) AS number
    FROM
    (
        SELECT
            site,
            visitor_id,
            touchpoint_id,
            turn,
            occurred_at,
            toUnixTimestamp64Milli(occurred_at) AS ms,
            lagInFrame(ms, 1, toInt64(-1e15)) OVER (
                PARTITION BY site, visitor_id ORDER BY occurred_at
                ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING
            ) AS previous,
            ms - previous > {gap:Int64} AS is_first
        FROM touchpoints FINAL
        WHERE NOT is_late
    )
)
GROUP BY site, visitor_id, number"""

# Rows of one side count up, rows of the other down: what is not level afterwards differs.
_DIFFERENCES = f"""
SELECT site, visitor_id, started_at, ended_at, touchpoints, sum(side) > 0 AS is_missing
FROM
(
    SELECT site, visitor_id, started_at, ended_at, touchpoints, 1 AS side FROM ({SESSIONISE})
    UNION ALL
    SELECT site, visitor_id, started_at, ended_at, touchpoints, -1 FROM sessions FINAL
)
WHERE {{site:String}} = '' OR site = {{site:String}}
GROUP BY site, visitor_id, started_at, ended_at, touchpoints
HAVING sum(side) != 0
ORDER BY site, visitor_id, started_at, is_missing DESC
LIMIT {{limit:UInt32}}
"""  # noqa: S608 - our own text


_COUNT = """
SELECT count() FROM touchpoints FINAL WHERE {site:String} = '' OR site = {site:String}"""


class Difference(NamedTuple):
    """A session that only one of the two has, or that is in `sessions` twice."""

    site: str
    visitor_id: str
    started_at: datetime
    ended_at: datetime
    touchpoints: int
    kind: Literal["missing", "unexpected"]

    def __str__(self) -> str:
        """Say it for people."""
        return (
            f"{self.kind}: {self.site}, visitor {self.visitor_id}, {self.started_at:%F %T} to "
            f"{self.ended_at:%F %T}, {self.touchpoints:,} touchpoints"
        )


def differences(
    client: Client, *, gap: timedelta, site: str = "", limit: int = 1000
) -> list[Difference]:
    """Compare the table `sessions` with the touchpoints; the list should be empty.

    *Missing*: the touchpoints give this session, but the table lacks it. *Unexpected*: the table
    has it, but the touchpoints do not give it. `gap` is the tracker's session gap, an empty `site`
    means all, and no more than `limit` differences are given.
    """
    rows = client.query(
        _DIFFERENCES,
        parameters={"gap": length(gap), "site": site, "limit": limit},
    ).result_rows
    return [
        Difference._make((*session, "missing" if is_missing else "unexpected"))
        for *session, is_missing in rows
    ]


def count_touchpoints(client: Client, site: str = "") -> int:
    """Count the touchpoints that the sessions are compared with; an empty `site` means all."""
    return int(client.query(_COUNT, parameters={"site": site}).result_rows[0][0])
