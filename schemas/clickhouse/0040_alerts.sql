-- What `touchstream watch` has found. An alert is written again, with a higher version, when it
-- changes and when it is over; its id stays.
CREATE TABLE alerts
(
    alert_id    String COMMENT 'Hash of site, kind, step and the minute in which it was opened',
    site        LowCardinality(String) COMMENT 'Shop or brand',
    kind        LowCardinality(String) COMMENT 'conversion, volume, abandonment, errors or silence',
    step        LowCardinality(String) COMMENT 'Where: the funnel step, the kind of abandonment, the name of the error, or the channel',
    next_step   LowCardinality(String) COMMENT 'For a conversion: the step that too few reach; otherwise empty',
    severity    LowCardinality(String) COMMENT 'page: people are lost now; ticket: look at it today',
    state       LowCardinality(String) COMMENT 'firing or resolved',
    opened_at   DateTime64(3, 'UTC') COMMENT 'End of the minute that made it certain',
    since       DateTime64(3, 'UTC') COMMENT 'Its likeliest beginning',
    updated_at  DateTime64(3, 'UTC') COMMENT 'End of the last minute in these numbers',
    resolved_at Nullable(DateTime64(3, 'UTC')) COMMENT 'When it was over',
    dimension   LowCardinality(String) COMMENT 'Dimension of the likeliest slice: channel, device, browser, source, page or campaign; empty: everywhere',
    value       String COMMENT 'Value of the likeliest slice; empty: everywhere',
    slices      Array(Tuple(dimension String, value String, share Float64)) COMMENT 'The three slices that explain it best; the shares are those of the evidence',
    observed    Float64 COMMENT 'Conversions, entries, abandonments or errors of that slice since then',
    expected    Float64 COMMENT 'How many of them are usual at this time of the week',
    change      Float64 COMMENT 'observed / expected - 1: -0.5 is half of the usual, 2 is three times the usual',
    certainty   Float64 COMMENT 'Probability, 0 to 1, that it is not chance',
    people      UInt64 COMMENT 'How many people are missing, or are hit',
    money       Decimal(38, 8) COMMENT 'The usual value of these people; 0 if it is unknown',
    currency    LowCardinality(String) COMMENT 'Currency of money',
    title       String COMMENT 'All this as a sentence',
    link        String COMMENT 'Where to look',
    notes       Array(String) COMMENT 'Holidays and campaigns of that time',
    version     UInt64 COMMENT 'Grows with each change'
)
ENGINE = ReplacingMergeTree(version)
PARTITION BY toYYYYMM(opened_at)
ORDER BY (site, opened_at, alert_id)
SETTINGS non_replicated_deduplication_window = 10000
COMMENT 'Alerts of touchstream watch: open ones and those that are over';

-- What `touchstream watch` remembers: after a restart it goes on, and says nothing twice.
CREATE TABLE watch_states
(
    site    LowCardinality(String) COMMENT 'Shop or brand',
    minute  UInt32 COMMENT 'The last minute that was judged, since 1970',
    state   String COMMENT 'The evidence so far, as JSON' CODEC(ZSTD(3)),
    version UInt64 COMMENT 'Grows with each minute'
)
ENGINE = ReplacingMergeTree(version)
ORDER BY site
SETTINGS non_replicated_deduplication_window = 10000
COMMENT 'The memory of touchstream watch';
