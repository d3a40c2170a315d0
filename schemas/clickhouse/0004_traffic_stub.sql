-- Stands in for the migration that brings traffic sources.
ALTER TABLE sessions
    ADD COLUMN IF NOT EXISTS channel_group LowCardinality(String) COMMENT 'Traffic source by group: Organic Search, Direct, …',
    ADD COLUMN IF NOT EXISTS traffic_source LowCardinality(String) COMMENT 'Who brought the visit: google, newsletter, …',
    ADD COLUMN IF NOT EXISTS traffic_medium LowCardinality(String) COMMENT 'How: organic, cpc, email, …',
    ADD COLUMN IF NOT EXISTS traffic_campaign LowCardinality(String) COMMENT 'Campaign that brought the visit',
    ADD COLUMN IF NOT EXISTS keyword String COMMENT 'What was searched for',
    ADD COLUMN IF NOT EXISTS is_branded Bool COMMENT 'The keyword names the brand',
    ADD COLUMN IF NOT EXISTS country LowCardinality(String) COMMENT 'Two letters';
