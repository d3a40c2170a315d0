-- Few among many, asked for all the time: orders, and visits of bots. Both are copies of rows, so
-- that a row that is inserted again or later taken back is so here too.

CREATE TABLE order_touchpoints
(
    site          LowCardinality(String) COMMENT 'Shop or brand',
    order_event   LowCardinality(String) COMMENT 'completed, refunded, partially_refunded or cancelled',
    order_id      String COMMENT 'Its number, as sent',
    touchpoint_id String COMMENT 'The event id its sender gave it',
    visitor_id    String COMMENT 'The device, or user:<id> without one',
    occurred_at   DateTime64(3, 'UTC') COMMENT 'When it happened, corrected for clock skew',
    turn          UInt64 COMMENT 'Orders touchpoints with the same time',
    channel       LowCardinality(String) COMMENT 'Where it happened: website, shop, newsletter, store, …',
    revenue       Decimal(38, 8) COMMENT 'As in touchpoints',
    currency      LowCardinality(String) COMMENT 'Currency of revenue',
    properties    String COMMENT 'JSON object, as sent' CODEC(ZSTD(3)),
    is_late       Bool COMMENT 'Beyond the allowed lateness: kept, not sessionised',
    is_bot        Bool COMMENT 'Crawler or headless browser, by user_agent',
    precedence    UInt64 COMMENT 'The higher of two copies stays: the first in the log'
)
ENGINE = ReplacingMergeTree(precedence)
ORDER BY (site, toDate(occurred_at), visitor_id, touchpoint_id)
SETTINGS non_replicated_deduplication_window = 10000
COMMENT 'Touchpoints that report an order';

CREATE MATERIALIZED VIEW order_touchpoints_mv TO order_touchpoints AS
SELECT site, order_event, order_id, touchpoint_id, visitor_id, occurred_at, turn, channel, revenue, currency,
    properties, is_late, is_bot, 18446744073709551615 - kafka_offset AS precedence
FROM touchpoints
WHERE order_event != '';

INSERT INTO order_touchpoints
SELECT site, order_event, order_id, touchpoint_id, visitor_id, occurred_at, turn, channel, revenue, currency,
    properties, is_late, is_bot, 18446744073709551615 - kafka_offset
FROM touchpoints
WHERE order_event != ''
SETTINGS max_partitions_per_insert_block = 0;

CREATE TABLE bot_sessions
(
    site       LowCardinality(String) COMMENT 'Shop or brand',
    session_id String COMMENT 'Hash of site, visitor and first touchpoint',
    visitor_id String COMMENT 'The device, or user:<id> without one',
    started_at DateTime64(3, 'UTC') COMMENT 'Its first touchpoint',
    ended_at   DateTime64(3, 'UTC') COMMENT 'Its last touchpoint',
    version    UInt64 COMMENT 'Of the session'
)
ENGINE = ReplacingMergeTree(version)
ORDER BY (site, toDate(started_at), session_id)
SETTINGS non_replicated_deduplication_window = 10000
COMMENT 'Visits with a touchpoint of a bot';

CREATE MATERIALIZED VIEW bot_sessions_mv TO bot_sessions AS
SELECT site, session_id, visitor_id, started_at, ended_at, version
FROM sessions
WHERE is_bot;

INSERT INTO bot_sessions
SELECT site, session_id, visitor_id, started_at, ended_at, version
FROM sessions
WHERE is_bot;
