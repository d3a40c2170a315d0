-- Whom a rebuild tells anew, if it is not everybody.
CREATE TABLE rebuild_names
(
    site    LowCardinality(String) COMMENT 'Shop or brand',
    rebuild Int64 COMMENT 'When it began, in milliseconds since 1970',
    name    String COMMENT 'A visitor, or an identifier that joins some'
)
ENGINE = ReplacingMergeTree
ORDER BY (site, rebuild, name)
TTL toDateTime(rebuild / 1000) + INTERVAL 7 DAY
SETTINGS non_replicated_deduplication_window = 10000
COMMENT 'Whom `touchstream rebuild --from --to` rebuilds';

-- What an import takes back or replaces.
CREATE TABLE rebuild_gone
(
    site          LowCardinality(String) COMMENT 'Shop or brand',
    rebuild       Int64 COMMENT 'When it began, in milliseconds since 1970',
    visitor_id    String COMMENT 'Whose touchpoint it is: another visitor may have one of the same id',
    touchpoint_id String COMMENT 'Id of a touchpoint that must no longer be in the table'
)
ENGINE = ReplacingMergeTree
ORDER BY (site, rebuild, visitor_id, touchpoint_id)
TTL toDateTime(rebuild / 1000) + INTERVAL 7 DAY
SETTINGS non_replicated_deduplication_window = 10000
COMMENT 'What `touchstream import --replace` and `--take-back` delete';
