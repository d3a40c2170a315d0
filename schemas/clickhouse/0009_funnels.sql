-- Funnels that are read every few seconds: who reached what, hour by hour. These are sets, so a
-- touchpoint that is inserted again changes nothing, and those of several steps can be intersected.
-- Bitmaps would be sets as well, but of scattered numbers they are read ten times slower.
CREATE TABLE funnel_hours
(
    site     LowCardinality(String) COMMENT 'Shop or brand',
    hour     DateTime('UTC') COMMENT 'Its beginning, by occurred_at',
    name     LowCardinality(String) COMMENT 'Name of the touchpoint: a step of some funnel',
    visitors AggregateFunction(groupUniqArray, UInt64) COMMENT 'Set of hashes of visitor_id'
)
ENGINE = AggregatingMergeTree
PARTITION BY toYYYYMM(hour)
ORDER BY (site, name, hour)
SETTINGS non_replicated_deduplication_window = 10000
COMMENT 'The sets behind the view live_funnel; without bots and late touchpoints';

CREATE MATERIALIZED VIEW funnel_hours_mv TO funnel_hours AS
SELECT t.site AS site, toStartOfHour(t.occurred_at, 'UTC') AS hour, t.name AS name,
    groupUniqArrayState(cityHash64(t.visitor_id)) AS visitors
FROM touchpoints AS t
WHERE NOT t.is_late AND NOT t.is_bot
GROUP BY site, hour, name;

-- What was there before. It may meet what the view above writes meanwhile: sets do not mind.
INSERT INTO funnel_hours
SELECT t.site AS site, toStartOfHour(t.occurred_at, 'UTC') AS hour, t.name AS name,
    groupUniqArrayState(cityHash64(t.visitor_id)) AS visitors
FROM touchpoints AS t
WHERE NOT t.is_late AND NOT t.is_bot
GROUP BY site, hour, name
SETTINGS max_partitions_per_insert_block = 0;

CREATE VIEW live_funnel AS
WITH
    {steps:Array(String)} AS steps,
    arrayMap(step -> arrayFirst(found -> found.1 = step, all_found).2, steps) AS reached
SELECT
    place,
    steps[place] AS step,
    length(reached[place]) AS reach,
    length(arrayReduce('groupArrayIntersect', arraySlice(reached, 1, place))) AS closed
FROM
(
    SELECT groupArray((name, visitors)) AS all_found
    FROM
    (
        SELECT name, groupUniqArrayMerge(visitors) AS visitors
        FROM funnel_hours
        WHERE site = {site:String} AND has({steps:Array(String)}, name)
            AND hour >= toStartOfHour({start:DateTime('UTC')}) AND hour < {end:DateTime('UTC')}
        GROUP BY name
    )
)
ARRAY JOIN arrayEnumerate(steps) AS place
ORDER BY place
COMMENT 'Any funnel by visitor: live_funnel(site = …, steps = […], start = …, end = …), columns place, step, reach and closed. Whole hours: the first begins at or before start, the last before end';
