-- Which log the facts are of. Versions are offsets: rows of two logs must never meet.
CREATE TABLE logs
(
    log_id String COMMENT 'Made up by a sink; it stands with the offsets of the sinks as well',
    since  DateTime64(9, 'UTC') DEFAULT now64(9) COMMENT 'When it was made up'
)
ENGINE = MergeTree
ORDER BY since
SETTINGS non_replicated_deduplication_window = 10000
COMMENT 'The log that the facts were written from: the oldest row';
