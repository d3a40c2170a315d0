"""A shop of any size, written by the engine itself: what the tracker would have found, in SQL.

Touchpoints come at an even rate, so that a larger table is a longer history and not a busier day:
`A_DAY` of them, ten by each visitor in two visits, the second one hours or days after the first.
A third of the visitors are linked in pairs. Ids are as long as those of browsers.
"""

from datetime import UTC, datetime, timedelta

from clickhouse_connect.driver.client import Client

A_DAY = 220_000
END = datetime(2026, 7, 1, tzinfo=UTC)
"""No touchpoint is newer."""

_CHUNK = 5_000_000
_PER_VISITOR = 10

# What the ten touchpoints of a visitor are; how many of them there are depends on the visitor.
_NAMES = """
    ['Page Viewed', 'Page Viewed', 'Product List Viewed', 'Product Viewed', 'Page Engaged',
     'Page Viewed', 'Product Viewed', 'Product Added', 'Checkout Started', 'Order Completed']"""

# ruff: noqa: S608 - our own text alone is formatted in.

_TOUCHPOINTS = f"""
INSERT INTO touchpoints (touchpoint_id, site, type, name, channel, visitor_id, occurred_at,
    received_at, path, url, host, device, order_event, order_id, revenue,
    currency, properties, kafka_offset)
WITH
    intDiv(number, {_PER_VISITOR}) AS visitor,
    number % {_PER_VISITOR} AS place,
    cityHash64(visitor) AS luck,
    cityHash64(visitor, place) AS chance,
    multiIf(
        place = 5 AND luck % 20 = 0, 'Email Link Clicked',
        place = 9 AND luck % 5 != 0, 'Page Viewed',
        place = 8 AND luck % 3 != 0, 'Page Viewed',
        place = 7 AND luck % 2 != 0, 'Product Viewed',
        place = 4 AND luck % 97 = 0, 'Support Contacted',
        place = 4 AND luck % 101 = 0, 'Complaint Made',
        place = 4 AND luck % 37 = 0, 'Survey Answered',
        place = 4 AND luck % 41 = 0, 'Script Failed',
        {_NAMES}[place + 1]
    ) AS does,
    (luck + if(place < 5, 0, 7200 + cityHash64(visitor, 3) % {{back:Int64}})) % {{seconds:Int64}}
        AS visit,
    toDateTime64({{begin:Int64}} + visit + place * 40 + chance % 30, 3, 'UTC') AS at
SELECT lower(hex(sipHash128(number))) || '-' || toString(number % 10000),
    'shop', if(does = 'Page Viewed', 'page', 'track'), does,
    multiIf(does IN ('Support Contacted', 'Complaint Made'), 'support',
        does = 'Survey Answered', 'survey', does = 'Email Link Clicked', 'newsletter',
        place IN (0, 1, 5), 'website', 'shop'),
    lower(hex(sipHash128(visitor, 'v'))) || '-' || toString(visitor % 1000), at, at,
    if(does IN ('Support Contacted', 'Survey Answered', 'Email Link Clicked'), '',
        '/p/' || toString(chance % 500)),
    if(does IN ('Support Contacted', 'Survey Answered', 'Email Link Clicked'), '',
        'https://shop.example/p/' || toString(chance % 500)),
    'shop.example', if(luck % 3 = 0, 'mobile', 'desktop'),
    if(does = 'Order Completed', 'completed', ''),
    if(does = 'Order Completed', toString(number), ''),
    if(does = 'Order Completed', 20 + chance % 80, 0), if(does = 'Order Completed', 'EUR', ''),
    multiIf(
        does = 'Survey Answered',
        '{{"survey": "nps", "score": ' || toString(chance % 11) || '}}',
        does = 'Page Engaged', '{{"engaged_seconds": ' || toString(chance % 90) || '}}',
        does = 'Page Viewed' AND chance % 9 = 0,
        '{{"lcp_ms": ' || toString(500 + chance % 4000) || '}}',
        does = 'Email Link Clicked', '{{"campaign_id": "mail-' || toString(luck % 9) || '"}}',
        does = 'Product List Viewed' AND luck % 4 = 0,
        '{{"traits": {{"segment": "s' || toString(luck % 5) || '"}}}}',
        does = 'Product Viewed',
        '{{"product_id": "p' || toString(chance % 900) || '", "price": ' || toString(chance % 90)
            || '.90}}',
        '{{}}'
    ),
    number
FROM numbers_mt({{first:UInt64}}, {{many:UInt64}})
SETTINGS max_partitions_per_insert_block = 0, max_insert_block_size = 1000000"""

_SESSIONS = """
INSERT INTO sessions (session_id, site, visitor_id, person_id, started_at, ended_at, touchpoints,
    page_views, first_touchpoint_id, last_touchpoint_id, entry_path, exit_path, channel,
    traffic_source, traffic_medium, traffic_campaign, channel_group, is_branded, country, device,
    steps, orders_told, revenue_told)
SELECT lower(hex(sipHash128(first_touchpoint_id))), 'shop', visitor, visitor, begun, ended, times,
    pages, first_touchpoint_id, last_touchpoint_id, entry, exit, first_channel,
    ['google', '(direct)', 'newsletter', 'bing'][place],
    ['organic', '(none)', 'email', 'cpc'][place],
    ['', '', 'mail-' || toString(luck % 9), 'ad-' || toString(luck % 30)][place],
    ['Organic Search', 'Direct', 'Email', 'Paid Search'][place], place = 1 AND luck % 7 = 0,
    ['DE', 'AT', 'CH'][1 + luck % 3], first_device,
    arrayFilter(step -> has(names, step), ['Product Viewed', 'Product Added', 'Checkout Started',
        'Order Completed']),
    has(names, 'Order Completed'), money
FROM
(
    SELECT visitor_id AS visitor, kafka_offset % @ < 5 AS is_first, min(occurred_at) AS begun,
        max(occurred_at) AS ended, count() AS times, countIf(type = 'page') AS pages,
        argMin(touchpoint_id, occurred_at) AS first_touchpoint_id,
        argMax(touchpoint_id, occurred_at) AS last_touchpoint_id,
        argMinIf(path, occurred_at, path != '') AS entry,
        argMaxIf(path, occurred_at, path != '') AS exit,
        argMin(channel, occurred_at) AS first_channel, any(device) AS first_device,
        groupUniqArray(name) AS names, sum(revenue) AS money,
        cityHash64(first_touchpoint_id) AS luck, 1 + luck % 4 AS place
    FROM touchpoints
    WHERE kafka_offset >= {first:UInt64} AND kafka_offset < {first:UInt64} + {many:UInt64}
    GROUP BY visitor, is_first
)
SETTINGS max_partitions_per_insert_block = 0""".replace("@", str(_PER_VISITOR))

# Of every model as much as of one: five models have five times as many transitions.
_TRANSITIONS = """
INSERT INTO transitions (transition_id, site, model, person_id, visitor_id, cycle, from_phase,
    to_phase, kind, at, channel, touchpoint_name, touchpoint_id, session_id)
SELECT lower(hex(sipHash128(touchpoint_id, one))), site, one, visitor_id, visitor_id, 1,
    multiIf(name = 'Page Viewed', '', name = 'Product Viewed', 'awareness', 'consideration'),
    multiIf(name = 'Page Viewed', 'awareness', name = 'Product Viewed', 'consideration',
        'purchase'),
    if(name = 'Page Viewed', 'enter', 'forward'), occurred_at, channel, name, touchpoint_id,
    lower(hex(sipHash128(touchpoint_id)))
FROM
(
    SELECT * FROM touchpoints
    WHERE name IN ('Page Viewed', 'Product Viewed', 'Product Added')
        AND kafka_offset >= {first:UInt64} AND kafka_offset < {first:UInt64} + {many:UInt64}
    ORDER BY visitor_id, name, occurred_at
    LIMIT 1 BY visitor_id, name
)
ARRAY JOIN ['lifecycle', 'aida', 'canvas'] AS one
SETTINGS max_partitions_per_insert_block = 0"""

_ABANDONMENTS = """
INSERT INTO abandonments (abandonment_id, site, model, kind, person_id, visitor_id, session_id,
    step, opened_at, last_touchpoint_at, last_touchpoint_id, last_path, abandoned_at, items, value,
    currency, recovered_at, recovered_channel)
SELECT lower(hex(sipHash128(touchpoint_id))), site, 'lifecycle',
    if(luck % 3 = 0, 'checkout', 'cart'), visitor_id, visitor_id, touchpoint_id, name, occurred_at,
    occurred_at + 60, touchpoint_id, path, occurred_at + 1860, 1, 10 + luck % 90, 'EUR',
    if(luck % 6 = 0, occurred_at + 9000, NULL), if(luck % 6 = 0, 'newsletter', '')
FROM (SELECT *, cityHash64(touchpoint_id) AS luck FROM touchpoints
    WHERE name = 'Product Added' AND luck % 2 = 0)
SETTINGS max_partitions_per_insert_block = 0"""

_IDENTITIES = """
INSERT INTO identities (site, visitor_id, person_id)
SELECT DISTINCT site, visitor_id,
    'p' || toString(intDiv(cityHash64(visitor_id), 3) % {people:UInt64})
FROM sessions
WHERE cityHash64(visitor_id) % 3 = 0"""


def fill(client: Client, touchpoints: int, days: float | None = None) -> timedelta:
    """Write so many touchpoints and the facts in them; give how long the history is."""
    history = timedelta(days=days or touchpoints / A_DAY)
    back = min(timedelta(days=14), history / 3)
    about = {
        "begin": int((END - history).timestamp()),
        "seconds": int((history - timedelta(minutes=10)).total_seconds()),
        "back": int(back.total_seconds()),
    }
    for statement in (_TOUCHPOINTS, _SESSIONS, _TRANSITIONS):
        for first in range(0, touchpoints, _CHUNK):
            chunk = {"first": first, "many": min(_CHUNK, touchpoints - first)}
            client.command(statement, parameters=about | chunk)
    client.command(_ABANDONMENTS)
    client.command(_IDENTITIES, parameters={"people": max(1, touchpoints // 60)})
    return history
