-- The five tables. Each replays safely: a row is a pure function of its log record, the sorting
-- key holds its id, and the deduplication window makes a repeated insert a no-op.

-- The first copy of a touchpoint wins: the lower the offset, the higher the precedence.
CREATE TABLE touchpoints
(
    touchpoint_id   String COMMENT 'The event id its sender gave it',
    site            LowCardinality(String) COMMENT 'Shop or brand',
    type            LowCardinality(String) COMMENT 'Segment call: track, page, identify, …',
    name            LowCardinality(String) COMMENT 'Segment event name, e.g. Product Viewed',
    channel         LowCardinality(String) COMMENT 'Where it happened',
    visitor_id      String COMMENT 'The device, or user:<id> without one',
    anonymous_id    String COMMENT 'Device id as sent',
    user_id         String COMMENT 'Known user as sent',
    previous_id     String COMMENT 'alias: the id that becomes user_id',
    occurred_at     DateTime64(3, 'UTC') COMMENT 'When it happened, corrected for clock skew',
    sent_at         Nullable(DateTime64(3, 'UTC')) COMMENT 'When the device sent it, by its own clock',
    received_at     DateTime64(3, 'UTC') COMMENT 'When the collector took it (import: occurred_at)',
    ts_adjusted     Bool COMMENT 'occurred_at was moved by the correction',
    is_late         Bool COMMENT 'Beyond the allowed lateness: kept, not sessionised',
    url             String CODEC(ZSTD(3)),
    host            LowCardinality(String),
    path            String,
    title           String CODEC(ZSTD(3)),
    referrer        String CODEC(ZSTD(3)),
    referrer_host   LowCardinality(String),
    utm_source      LowCardinality(String),
    utm_medium      LowCardinality(String),
    utm_campaign    LowCardinality(String),
    utm_term        String,
    utm_content     String,
    click_id        LowCardinality(String) COMMENT 'Which ad click id was in the URL: gclid, fbclid, …',
    user_agent      String CODEC(ZSTD(3)),
    device          LowCardinality(String) COMMENT 'desktop, mobile, tablet, bot or empty',
    browser         LowCardinality(String),
    os              LowCardinality(String),
    is_bot          Bool,
    locale          LowCardinality(String),
    ip              String COMMENT 'Truncated: /24 or /48',
    order_id        String,
    revenue         Decimal(18, 2),
    currency        LowCardinality(String),
    properties      String COMMENT 'JSON object, as sent' CODEC(ZSTD(3)),
    kafka_partition UInt32 COMMENT 'of touchpoints.raw',
    kafka_offset    UInt64 COMMENT 'of touchpoints.raw',
    precedence      UInt64 MATERIALIZED 18446744073709551615 - kafka_offset
)
ENGINE = ReplacingMergeTree(precedence)
PARTITION BY toYYYYMM(occurred_at)
ORDER BY (site, toDate(occurred_at), visitor_id, touchpoint_id)
SETTINGS non_replicated_deduplication_window = 10000;

CREATE TABLE sessions
(
    session_id          String COMMENT 'Hash of site, visitor and first touchpoint',
    site                LowCardinality(String),
    visitor_id          String,
    person_id           String COMMENT 'The human, as far as the links known so far tell',
    started_at          DateTime64(3, 'UTC'),
    ended_at            DateTime64(3, 'UTC') COMMENT 'Its last touchpoint',
    touchpoints         UInt32,
    page_views          UInt32,
    first_touchpoint_id String,
    last_touchpoint_id  String,
    entry_path          String,
    exit_path           String,
    channel             LowCardinality(String) COMMENT 'of the first touchpoint',
    referrer_host       LowCardinality(String) COMMENT 'of the first touchpoint',
    utm_source          LowCardinality(String) COMMENT 'of the first touchpoint',
    utm_medium          LowCardinality(String) COMMENT 'of the first touchpoint',
    utm_campaign        LowCardinality(String) COMMENT 'of the first touchpoint',
    device              LowCardinality(String),
    is_bot              Bool,
    steps               Array(LowCardinality(String)) COMMENT 'Funnel steps it reached, in funnel order',
    orders              UInt32,
    revenue             Decimal(18, 2),
    kafka_partition     UInt32,
    rule_version        LowCardinality(String),
    version             UInt64 COMMENT 'Offset of the record that wrote this row',
    is_deleted          UInt8
)
ENGINE = ReplacingMergeTree(version, is_deleted)
PARTITION BY toYYYYMM(started_at)
ORDER BY (site, toDate(started_at), visitor_id, session_id)
SETTINGS non_replicated_deduplication_window = 10000;

CREATE TABLE transitions
(
    transition_id       String,
    site                LowCardinality(String),
    model               LowCardinality(String),
    person_id           String,
    visitor_id          String,
    cycle               UInt32,
    from_phase          LowCardinality(String) COMMENT 'Empty: the journey begins',
    to_phase            LowCardinality(String),
    kind                LowCardinality(String) COMMENT 'enter, forward, skip, back or cycle',
    at                  DateTime64(3, 'UTC'),
    session_id          String,
    touchpoint_id       String,
    touchpoint_name     LowCardinality(String),
    channel             LowCardinality(String),
    rule                LowCardinality(String),
    seconds_in_previous UInt64,
    kafka_partition     UInt32,
    rule_version        LowCardinality(String),
    version             UInt64,
    is_deleted          UInt8
)
ENGINE = ReplacingMergeTree(version, is_deleted)
PARTITION BY toYYYYMM(at)
ORDER BY (site, model, toDate(at), visitor_id, transition_id)
SETTINGS non_replicated_deduplication_window = 10000;

CREATE TABLE abandonments
(
    abandonment_id      String,
    site                LowCardinality(String),
    model               LowCardinality(String),
    kind                LowCardinality(String) COMMENT 'cart or checkout',
    person_id           String,
    visitor_id          String,
    session_id          String,
    step                LowCardinality(String) COMMENT 'The step at which it ended',
    opened_at           DateTime64(3, 'UTC'),
    last_touchpoint_at  DateTime64(3, 'UTC'),
    last_touchpoint_id  String,
    last_path           String,
    abandoned_at        DateTime64(3, 'UTC'),
    items               UInt32,
    value               Decimal(18, 2) COMMENT 'At stake',
    currency            LowCardinality(String),
    recovered_at        Nullable(DateTime64(3, 'UTC')),
    recovered_channel   LowCardinality(String),
    kafka_partition     UInt32,
    rule_version        LowCardinality(String),
    version             UInt64,
    is_deleted          UInt8
)
ENGINE = ReplacingMergeTree(version, is_deleted)
PARTITION BY toYYYYMM(opened_at)
ORDER BY (site, kind, toDate(opened_at), visitor_id, abandonment_id)
SETTINGS non_replicated_deduplication_window = 10000;

CREATE TABLE dead_letters
(
    dead_letter_id String,
    site           LowCardinality(String),
    stage          LowCardinality(String) COMMENT 'collect, import, track or sink',
    reason         LowCardinality(String),
    detail         String,
    source         String COMMENT 'Topic-partition, file or site',
    position       Int64 COMMENT 'Offset, row or index in the batch',
    payload        String CODEC(ZSTD(3)),
    encoding       LowCardinality(String) COMMENT 'utf-8 or base64',
    at             DateTime64(3, 'UTC')
)
ENGINE = ReplacingMergeTree
PARTITION BY toYYYYMM(at)
ORDER BY (site, stage, reason, dead_letter_id)
SETTINGS non_replicated_deduplication_window = 10000;
