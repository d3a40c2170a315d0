-- What brought a visit, told by the first touchpoint of its session; docs/traffic.md has the rules.
ALTER TABLE sessions
    ADD COLUMN IF NOT EXISTS traffic_source LowCardinality(String) COMMENT 'Who brought the visit: google, newsletter, (direct), …',
    ADD COLUMN IF NOT EXISTS traffic_medium LowCardinality(String) COMMENT 'How: organic, cpc, email, referral, (none), …',
    ADD COLUMN IF NOT EXISTS traffic_campaign LowCardinality(String) COMMENT 'Campaign that brought the visit',
    ADD COLUMN IF NOT EXISTS channel_group LowCardinality(String) COMMENT 'Default channel group of Google Analytics: Organic Search, Direct, …',
    ADD COLUMN IF NOT EXISTS keyword String COMMENT 'What was searched for: utm_term, or the term in the referrer of a search engine',
    ADD COLUMN IF NOT EXISTS is_branded Bool COMMENT 'A search whose keyword contains one of the brand terms',
    ADD COLUMN IF NOT EXISTS country LowCardinality(String) COMMENT 'Two letters: the first country property, or region of a locale, in the session';

-- The columns of a view are fixed when it is made: made anew, it has those of today.
CREATE OR REPLACE VIEW person_sessions AS
SELECT s.* REPLACE (if(i.person_id = '', s.person_id, i.person_id) AS person_id)
FROM (SELECT * FROM sessions FINAL) AS s
LEFT JOIN (SELECT site, visitor_id, person_id FROM identities FINAL) AS i
    ON s.site = i.site AND s.visitor_id = i.visitor_id
COMMENT 'Sessions with the person as known now';
