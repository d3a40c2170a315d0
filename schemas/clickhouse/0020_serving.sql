-- What questions about a span need, so that they read that span alone.

-- Said in the properties, and asked for often.
ALTER TABLE touchpoints
    ADD COLUMN IF NOT EXISTS waited Nullable(Float32) MATERIALIZED multiIf(
        position(properties, '"waiting_seconds"') > 0 AND JSONHas(properties, 'waiting_seconds'),
        toNullable(toFloat32(greatest(0, JSONExtractFloat(properties, 'waiting_seconds')))),
        position(properties, '"lcp_ms"') > 0 AND JSONHas(properties, 'lcp_ms'),
        toFloat32(greatest(0, JSONExtractFloat(properties, 'lcp_ms')) / 1000),
        NULL
    ) COMMENT 'Seconds: property waiting_seconds, otherwise lcp_ms; null: not measured',
    ADD COLUMN IF NOT EXISTS engaged_seconds Float32 MATERIALIZED if(
        name = 'Page Engaged', greatest(0, JSONExtractFloat(properties, 'engaged_seconds')), 0
    ) COMMENT 'Property of that name of Page Engaged',
    ADD COLUMN IF NOT EXISTS campaign_id LowCardinality(String) MATERIALIZED if(
        position(properties, '"campaign_id"') > 0, JSONExtractString(properties, 'campaign_id'), ''
    ) COMMENT 'Property of that name of mails';

-- When visitors came: the days to look at for one of them, and who was there before.
CREATE TABLE visitor_days
(
    site       LowCardinality(String) COMMENT 'Shop or brand',
    visitor_id String COMMENT 'The device, or user:<id> without one',
    day        Date COMMENT 'A day on which it was seen, UTC',
    first_at   SimpleAggregateFunction(min, DateTime64(3, 'UTC')) COMMENT 'Its first touchpoint of that day; bots and late ones do not count, but have a day'
)
ENGINE = AggregatingMergeTree
ORDER BY (site, visitor_id, day)
SETTINGS index_granularity = 1024, non_replicated_deduplication_window = 10000
COMMENT 'The days on which each visitor was seen';

CREATE MATERIALIZED VIEW visitor_days_mv TO visitor_days AS
SELECT t.site AS site, t.visitor_id AS visitor_id, toDate(t.occurred_at) AS day,
    min(if(t.is_late OR t.is_bot, toDateTime64('2299-01-01 00:00:00', 3, 'UTC'), t.occurred_at)) AS first_at
FROM touchpoints AS t
GROUP BY site, visitor_id, day;

-- What was there before. It may meet what the view above writes meanwhile: the first stays the first.
INSERT INTO visitor_days
SELECT t.site AS site, t.visitor_id AS visitor_id, toDate(t.occurred_at) AS day,
    min(if(t.is_late OR t.is_bot, toDateTime64('2299-01-01 00:00:00', 3, 'UTC'), t.occurred_at)) AS first_at
FROM touchpoints AS t
GROUP BY site, visitor_id, day
SETTINGS max_bytes_before_external_group_by = 1000000000;

-- Visits that reach into a span may have begun before it.
ALTER TABLE sessions ADD INDEX IF NOT EXISTS ended ended_at TYPE minmax;
