"""PURE: the questions to ClickHouse. Each reads only its span, by time first.

A person enters a step with a touchpoint of it after two hours without one, and counts as waiting
for two hours. What a visit began with comes from its session. Copies of rows change nothing, so
only abandonments need FINAL, because they can be taken back.
"""

_POINTS = """
    SELECT
        site, visitor_id, anyLast(browser) AS browser,
        arraySort(groupArray((toUnixTimestamp64Milli(occurred_at), indexOf(steps, name)))) AS points
    FROM touchpoints
    WHERE occurred_at >= fromUnixTimestamp64Milli({start:Int64} - longest)
        AND occurred_at < fromUnixTimestamp64Milli({end:Int64})
        AND has(steps, name) AND NOT is_bot AND NOT is_late
        AND ({site:String} = '' OR site = {site:String})
    GROUP BY site, visitor_id
"""

_ENTRIES = f"""
    SELECT
        site, visitor_id, browser, points, pair,
        arrayMap(p -> p.1, arrayFilter(p -> p.2 = pair, points)) AS times,
        arrayFilter((t, before) -> t - before >= longest AND t >= {{start:Int64}}
            AND t < {{until:Int64}}, times,
            arraySlice(arrayPushFront(times, -longest), 1, length(times))) AS entries
    FROM ({_POINTS})
    ARRAY JOIN arrayEnumerate(steps) AS pair
"""  # noqa: S608 - our own text

# Any copy of a visit's row will do: what the visit began with never changes. Anybody can make up
# source, page and campaign: values and combinations that are not frequent are counted without them.
PEOPLE = f"""
WITH {{steps:Array(String)}} AS steps, {{longest:Int64}} AS longest
SELECT site, pair, channel, device, browser, time, age, count() AS people,
    if(is_frequent, known_source, '') AS source,
    if(is_frequent, known_page, '') AS page,
    if(is_frequent, known_campaign, '') AS campaign
FROM
(
    SELECT
        e.site AS site, e.pair AS pair, s.channel AS channel, s.device AS device,
        if(has({{browsers:Array(String)}}, e.browser), e.browser, '') AS browser,
        intDiv(e.entry, {{unit:Int64}}) AS time, e.age AS age,
        if(has({{sources:Array(String)}}, s.traffic_source), s.traffic_source, '') AS known_source,
        if(has({{pages:Array(String)}}, s.entry_path), s.entry_path, '') AS known_page,
        if(has({{campaigns:Array(String)}}, s.traffic_campaign), s.traffic_campaign, '')
            AS known_campaign,
        has({{together:Array(UInt64)}},
            cityHash64(channel, device, known_source, known_page, known_campaign)) AS is_frequent
    FROM
    (
        SELECT
            site, visitor_id, browser, pair, entry,
            fromUnixTimestamp64Milli(entry, 'UTC') AS at,
            arrayFirst(p -> p.2 = pair + 1 AND p.1 >= entry, points).1 AS gone,
            intDiv(gone, 60000) - intDiv(entry, 60000) AS after,
            if(gone = 0 OR after * 60000 >= longest, -1,
                if({{by_bin:Bool}}, {{bins:Array(Int64)}}[after + 1], after)) AS age
        FROM ({_ENTRIES})
        ARRAY JOIN entries AS entry
    ) AS e
    ASOF LEFT JOIN
    (
        SELECT site, visitor_id, started_at, channel, device, traffic_source, traffic_campaign,
            entry_path
        FROM sessions
        WHERE started_at >= fromUnixTimestamp64Milli({{start:Int64}} - 86400000)
            AND started_at < fromUnixTimestamp64Milli({{end:Int64}})
    ) AS s ON e.site = s.site AND e.visitor_id = s.visitor_id AND e.at >= s.started_at
)
GROUP BY ALL
"""  # noqa: S608 - our own text

SOURCES = """
SELECT site, channel, intDiv(toUnixTimestamp64Milli(occurred_at), {unit:Int64}) AS time,
    uniq(visitor_id) AS people
FROM touchpoints
WHERE occurred_at >= fromUnixTimestamp64Milli({start:Int64})
    AND occurred_at < fromUnixTimestamp64Milli({until:Int64})
    AND NOT is_bot AND NOT is_late AND ({site:String} = '' OR site = {site:String})
GROUP BY ALL
"""

ERRORS = """
SELECT site, device, browser, page, time, count() AS people,
    sumForEach(arrayMap(name -> toUInt64(has(met, name)), {errors:Array(String)})) AS errors
FROM
(
    SELECT site, device, if(has({browsers:Array(String)}, browser), browser, '') AS browser,
        if(has({pages:Array(String)}, path), path, '') AS page,
        intDiv(toUnixTimestamp64Milli(occurred_at), {unit:Int64}) AS time, visitor_id,
        groupUniqArrayIf(name, has({errors:Array(String)}, name)) AS met
    FROM touchpoints
    WHERE occurred_at >= fromUnixTimestamp64Milli({start:Int64})
        AND occurred_at < fromUnixTimestamp64Milli({until:Int64})
        AND NOT is_bot AND NOT is_late AND ({site:String} = '' OR site = {site:String})
    GROUP BY ALL
)
GROUP BY ALL
"""

ABANDONMENTS = """
SELECT site, kind, intDiv(toUnixTimestamp64Milli(abandoned_at), {unit:Int64}) AS time,
    count() AS people
FROM abandonments FINAL
WHERE abandoned_at >= fromUnixTimestamp64Milli({start:Int64})
    AND abandoned_at < fromUnixTimestamp64Milli({until:Int64})
    AND opened_at >= fromUnixTimestamp64Milli({start:Int64} - 7 * 86400000)
    AND kind IN ('browse', 'cart', 'checkout') AND ({site:String} = '' OR site = {site:String})
GROUP BY ALL
"""

SITES = """
SELECT site, intDiv(toUnixTimestamp64Milli(min(started_at)), 3600000) AS first_hour
FROM sessions
WHERE started_at >= fromUnixTimestamp64Milli({start:Int64})
    AND started_at < fromUnixTimestamp64Milli({until:Int64}) AND NOT is_bot
GROUP BY site
ORDER BY site
"""

WORDS = """
SELECT
    arrayFilter(x -> x != '', topK(13)(traffic_source)) AS sources,
    arrayFilter(x -> x != '', topK(25)(entry_path)) AS pages,
    arrayFilter(x -> x != '', topK(13)(traffic_campaign)) AS campaigns,
    (SELECT arrayFilter(x -> x != '', topK(13)(browser)) FROM touchpoints
        WHERE site = {site:String} AND NOT is_bot
            AND occurred_at >= fromUnixTimestamp64Milli({until:Int64} - 86400000)
            AND occurred_at < fromUnixTimestamp64Milli({until:Int64})) AS browsers
FROM sessions
WHERE site = {site:String} AND started_at >= fromUnixTimestamp64Milli({start:Int64})
    AND started_at < fromUnixTimestamp64Milli({until:Int64}) AND NOT is_bot
"""

TOGETHER = """
SELECT topK(400)(cityHash64(channel, device,
    if(has({sources:Array(String)}, traffic_source), traffic_source, ''),
    if(has({pages:Array(String)}, entry_path), entry_path, ''),
    if(has({campaigns:Array(String)}, traffic_campaign), traffic_campaign, ''))) AS together
FROM sessions
WHERE site = {site:String} AND started_at >= fromUnixTimestamp64Milli({start:Int64})
    AND started_at < fromUnixTimestamp64Milli({until:Int64}) AND NOT is_bot
"""

MONEY = """
SELECT site, currency, sum(revenue) AS total
FROM (SELECT site, visitor_id, touchpoint_id, any(t.revenue) AS revenue, any(t.currency) AS currency
    FROM touchpoints AS t
    WHERE t.revenue > 0 AND NOT is_late AND occurred_at >= fromUnixTimestamp64Milli({start:Int64})
        AND occurred_at < fromUnixTimestamp64Milli({until:Int64})
    GROUP BY site, visitor_id, touchpoint_id)
GROUP BY site, currency
ORDER BY site, total DESC
"""
