-- The five tables. Each replays safely: a row is a pure function of its log record, the sorting
-- key holds its id, and the deduplication window makes a repeated insert a no-op. Nothing that later
-- evidence can change stands in a sorting key or a partition key, else a row would stay beside its
-- correction.

-- The first copy of a touchpoint wins: the lower the offset, the higher the precedence.
CREATE TABLE touchpoints
(
    touchpoint_id   String COMMENT 'The event id its sender gave it',
    site            LowCardinality(String) COMMENT 'Shop or brand',
    type            LowCardinality(String) COMMENT 'Segment call: track, page, screen, identify, alias or group',
    name            LowCardinality(String) COMMENT 'Segment event name, e.g. Product Viewed',
    channel         LowCardinality(String) COMMENT 'Where it happened: website, shop, newsletter, store, …',
    visitor_id      String COMMENT 'The device, or user:<id> without one',
    anonymous_id    String COMMENT 'Device id as sent',
    user_id         String COMMENT 'Known user as sent',
    previous_id     String COMMENT 'alias: the id that becomes user_id',
    occurred_at     DateTime64(3, 'UTC') COMMENT 'When it happened, corrected for clock skew',
    sent_at         Nullable(DateTime64(3, 'UTC')) COMMENT 'When the device sent it, by its own clock',
    received_at     DateTime64(3, 'UTC') COMMENT 'When the collector accepted it (import: occurred_at)',
    ts_adjusted     Bool COMMENT 'occurred_at was moved by the correction',
    is_late         Bool COMMENT 'Beyond the allowed lateness: kept, not sessionised',
    url             String COMMENT 'Page, as sent' CODEC(ZSTD(3)),
    host            LowCardinality(String) COMMENT 'Host of url, in lower case',
    path            String COMMENT 'Path of url, without query and fragment',
    title           String COMMENT 'Title of the page, as sent' CODEC(ZSTD(3)),
    referrer        String COMMENT 'URL of the page before, as sent' CODEC(ZSTD(3)),
    referrer_host   LowCardinality(String) COMMENT 'Host of referrer, in lower case',
    utm_source      LowCardinality(String) COMMENT 'Campaign parameter in url',
    utm_medium      LowCardinality(String) COMMENT 'Campaign parameter in url',
    utm_campaign    LowCardinality(String) COMMENT 'Campaign parameter in url',
    utm_term        String COMMENT 'Campaign parameter in url',
    utm_content     String COMMENT 'Campaign parameter in url',
    click_id        LowCardinality(String) COMMENT 'The kind of ad click id in the URL: gclid, fbclid, …',
    user_agent      String COMMENT 'As sent' CODEC(ZSTD(3)),
    device          LowCardinality(String) COMMENT 'desktop, mobile, tablet, bot or empty',
    browser         LowCardinality(String) COMMENT 'Name without version, by user_agent',
    os              LowCardinality(String) COMMENT 'Name without version, by user_agent',
    is_bot          Bool COMMENT 'Crawler or headless browser, by user_agent',
    locale          LowCardinality(String) COMMENT 'Language, as sent: de-DE',
    ip              String COMMENT 'Truncated: /24 or /48',
    order_event     LowCardinality(String) COMMENT 'What it does to an order, by the names of the journey model: completed, refunded, partially_refunded, cancelled; empty: nothing',
    order_id        String COMMENT 'Order number, as sent',
    revenue         Decimal(38, 8) COMMENT 'Of an order: revenue, else total, else value, else its products; of a partial refund what goes back',
    currency        LowCardinality(String) COMMENT 'Currency of money in properties, as its code: EUR',
    money_problem   LowCardinality(String) COMMENT 'Why its money counts 0: unreadable, ambiguous, negative, too_large, too_small, currency, quantity, missing',
    sequence        UInt64 COMMENT 'Order of its sender: among touchpoints with the same time, the lower came first',
    turn            UInt64 COMMENT 'By sequence, then by the usual order: orders touchpoints with the same time',
    properties      String COMMENT 'JSON object, as sent' CODEC(ZSTD(3)),
    kafka_partition UInt32 COMMENT 'Position in touchpoints.raw',
    kafka_offset    UInt64 COMMENT 'Position in touchpoints.raw',
    precedence      UInt64 MATERIALIZED 18446744073709551615 - kafka_offset COMMENT 'The higher of two copies stays: the first in the log'
)
ENGINE = ReplacingMergeTree(precedence)
PARTITION BY toYYYYMM(occurred_at)
ORDER BY (site, toDate(occurred_at), visitor_id, touchpoint_id)
SETTINGS non_replicated_deduplication_window = 10000
COMMENT 'Every observed interaction, once';

CREATE TABLE sessions
(
    session_id          String COMMENT 'Hash of site, visitor and first touchpoint',
    site                LowCardinality(String) COMMENT 'Shop or brand',
    visitor_id          String COMMENT 'The device, or user:<id> without one',
    person_id           String COMMENT 'The human, by the links known at that time',
    started_at          DateTime64(3, 'UTC') COMMENT 'Its first touchpoint',
    ended_at            DateTime64(3, 'UTC') COMMENT 'Its last touchpoint',
    touchpoints         UInt32 COMMENT 'How many',
    page_views          UInt32 COMMENT 'How many touchpoints are a page or screen',
    first_touchpoint_id String COMMENT 'By occurred_at, equal times by turn, then by id',
    last_touchpoint_id  String COMMENT 'By occurred_at, equal times by turn, then by id',
    entry_path          String COMMENT 'The first path that is not empty',
    exit_path           String COMMENT 'The last path that is not empty',
    channel             LowCardinality(String) COMMENT 'From the first touchpoint',
    referrer_host       LowCardinality(String) COMMENT 'From the first touchpoint',
    utm_source          LowCardinality(String) COMMENT 'From the first touchpoint',
    utm_medium          LowCardinality(String) COMMENT 'From the first touchpoint',
    utm_campaign        LowCardinality(String) COMMENT 'From the first touchpoint',
    device              LowCardinality(String) COMMENT 'From the first touchpoint',
    is_bot              Bool COMMENT 'One of its touchpoints is of a bot',
    steps               Array(LowCardinality(String)) COMMENT 'Funnel steps it reached, in funnel order',
    orders_told         UInt32 COMMENT 'How many its visitor told, an order id once; another may tell the same: sum those of visits',
    revenue_told        Decimal(38, 8) COMMENT 'Sum of what it told, before refunds; 0 if in several currencies',
    currency            LowCardinality(String) COMMENT 'Currency of revenue_told; mixed: several, see conversions',
    kafka_partition     UInt32 COMMENT 'Position in touchpoints.raw',
    rule_version        LowCardinality(String) COMMENT 'Hash of the journey models and time limits it was computed by',
    version             UInt64 COMMENT 'Offset of the record that wrote this row',
    is_deleted          UInt8 COMMENT '1: retracted, later evidence refutes it'
)
ENGINE = ReplacingMergeTree(version, is_deleted)
PARTITION BY toYYYYMM(started_at)
ORDER BY (site, toDate(started_at), visitor_id, session_id)
SETTINGS non_replicated_deduplication_window = 10000
COMMENT 'Visits: touchpoints of one visitor without a silence longer than the session gap';

CREATE TABLE transitions
(
    transition_id       String COMMENT 'Hash of site, visitor, model and touchpoint',
    site                LowCardinality(String) COMMENT 'Shop or brand',
    model               LowCardinality(String) COMMENT 'Journey model',
    person_id           String COMMENT 'The human, by the links known at that time',
    visitor_id          String COMMENT 'The device, or user:<id> without one',
    cycle               UInt32 COMMENT 'How often the journey has begun, from 1',
    from_phase          LowCardinality(String) COMMENT 'Empty: the journey begins',
    to_phase            LowCardinality(String) COMMENT 'The phase entered',
    kind                LowCardinality(String) COMMENT 'enter, forward, skip, back or cycle',
    at                  DateTime64(3, 'UTC') COMMENT 'occurred_at of the touchpoint',
    session_id          String COMMENT 'The session it happened in',
    touchpoint_id       String COMMENT 'The touchpoint that is the evidence',
    touchpoint_name     LowCardinality(String) COMMENT 'From that touchpoint',
    channel             LowCardinality(String) COMMENT 'From that touchpoint',
    rule                LowCardinality(String) COMMENT 'The rule of the model that matched',
    seconds_in_previous UInt64 COMMENT 'Time spent in from_phase; 0 when the journey begins',
    turn                UInt64 COMMENT 'Turn of that touchpoint: orders touchpoints with the same time',
    kafka_partition     UInt32 COMMENT 'Position in touchpoints.raw',
    rule_version        LowCardinality(String) COMMENT 'Hash of the journey models and time limits it was computed by',
    version             UInt64 COMMENT 'Offset of the record that wrote this row',
    is_deleted          UInt8 COMMENT '1: retracted, later evidence refutes it'
)
ENGINE = ReplacingMergeTree(version, is_deleted)
PARTITION BY toYYYYMM(at)
ORDER BY (site, model, toDate(at), visitor_id, transition_id)
SETTINGS non_replicated_deduplication_window = 10000
COMMENT 'A journey enters a phase of a model';

CREATE TABLE abandonments
(
    abandonment_id      String COMMENT 'Hash of site, visitor, kind and the touchpoint that opened it',
    site                LowCardinality(String) COMMENT 'Shop or brand',
    model               LowCardinality(String) COMMENT 'The journey model with the rule: the first one configured',
    kind                LowCardinality(String) COMMENT 'cart or checkout',
    person_id           String COMMENT 'The human, by the links known at that time',
    visitor_id          String COMMENT 'The device, or user:<id> without one',
    session_id          String COMMENT 'The session it was opened in',
    step                LowCardinality(String) COMMENT 'The step at which it ended',
    opened_at           DateTime64(3, 'UTC') COMMENT 'First touchpoint of the cart or checkout',
    last_touchpoint_at  DateTime64(3, 'UTC') COMMENT 'Last touchpoint before the silence',
    last_touchpoint_id  String COMMENT 'Last touchpoint before the silence',
    last_path           String COMMENT 'The last path that is not empty',
    abandoned_at        DateTime64(3, 'UTC') COMMENT 'last_touchpoint_at plus the timeout of the rule',
    items               UInt32 COMMENT 'At stake',
    value               Decimal(38, 8) COMMENT 'At stake',
    currency            LowCardinality(String) COMMENT 'Currency of value',
    recovered_at        Nullable(DateTime64(3, 'UTC')) COMMENT 'The order that came after all, within the recovery time',
    recovered_channel   LowCardinality(String) COMMENT 'Of that order',
    kafka_partition     UInt32 COMMENT 'Position in touchpoints.raw',
    rule_version        LowCardinality(String) COMMENT 'Hash of the journey models and time limits it was computed by',
    version             UInt64 COMMENT 'Offset of the record that wrote this row',
    is_deleted          UInt8 COMMENT '1: retracted, later evidence refutes it'
)
ENGINE = ReplacingMergeTree(version, is_deleted)
PARTITION BY toYYYYMM(opened_at)
ORDER BY (site, kind, toDate(opened_at), abandonment_id)
SETTINGS non_replicated_deduplication_window = 10000
COMMENT 'Carts and checkouts left behind: silence for longer than the timeout of the rule';

CREATE TABLE dead_letters
(
    dead_letter_id String COMMENT 'Hash of stage, source, position and payload',
    site           LowCardinality(String) COMMENT 'Shop or brand; empty if it is unknown',
    stage          LowCardinality(String) COMMENT 'collect, import, track or sink',
    reason         LowCardinality(String) COMMENT 'One of a closed list: missing_field, invalid_time, …',
    detail         String COMMENT 'The reason as a sentence',
    source         String COMMENT 'Topic-partition, file or site',
    position       Int64 COMMENT 'Offset, row or index in the batch',
    payload        String COMMENT 'What was refused' CODEC(ZSTD(3)),
    encoding       LowCardinality(String) COMMENT 'Encoding of payload: utf-8 or base64',
    at             DateTime64(3, 'UTC') COMMENT 'When it was received; import: the time in its row',
    request        String COMMENT 'collect: what came with the payload, as JSON: path, browser, network, daily visitor' CODEC(ZSTD(3))
)
ENGINE = ReplacingMergeTree
PARTITION BY toYYYYMM(at)
ORDER BY (site, stage, reason, dead_letter_id)
SETTINGS non_replicated_deduplication_window = 10000
COMMENT 'Invalid input, kept as it came: it can be sent again once its cause is gone';
