-- What brought a visit, told by the first touchpoint of its session; docs/traffic.md has the rules.
ALTER TABLE sessions
    ADD COLUMN IF NOT EXISTS traffic_source LowCardinality(String) COMMENT 'Who brought the visit: google, newsletter, (direct), …',
    ADD COLUMN IF NOT EXISTS traffic_medium LowCardinality(String) COMMENT 'How: organic, cpc, email, referral, (none), …',
    ADD COLUMN IF NOT EXISTS traffic_campaign LowCardinality(String) COMMENT 'Campaign that brought the visit',
    ADD COLUMN IF NOT EXISTS channel_group LowCardinality(String) COMMENT 'Default channel group of Google Analytics: Organic Search, Direct, …',
    ADD COLUMN IF NOT EXISTS keyword String COMMENT 'What was searched for: utm_term, or the term in the referrer of a search engine',
    ADD COLUMN IF NOT EXISTS is_branded Bool COMMENT 'A search whose keyword holds one of the brand terms',
    ADD COLUMN IF NOT EXISTS country LowCardinality(String) COMMENT 'Two letters: the first country property, or region of a locale, in the session';

-- The columns of a view are fixed when it is made: made anew, it has those of today.
CREATE OR REPLACE VIEW person_sessions AS
SELECT s.* REPLACE (if(i.person_id = '', s.person_id, i.person_id) AS person_id)
FROM (SELECT * FROM sessions FINAL) AS s
LEFT JOIN (SELECT site, visitor_id, person_id FROM identities FINAL) AS i
    ON s.site = i.site AND s.visitor_id = i.visitor_id
COMMENT 'Sessions with the person as known now';

-- A direct visit belongs to what brought the person last, within 90 days. Mail, ads and posts count
-- when they led to a page; what a person did offline brought no visit.
CREATE VIEW session_sources AS
SELECT
    * EXCEPT (own, click, is_click),
    tupleElement(if(is_taken_over, click, own), 1) AS last_non_direct_source,
    tupleElement(if(is_taken_over, click, own), 2) AS last_non_direct_medium,
    tupleElement(if(is_taken_over, click, own), 3) AS last_non_direct_campaign,
    tupleElement(if(is_taken_over, click, own), 4) AS last_non_direct_group,
    tupleElement(if(is_taken_over, click, own), 5) AS last_non_direct_at,
    channel_group = 'Direct' AND click.5 >= started_at - INTERVAL 90 DAY AS is_taken_over
FROM
(
    SELECT
        *,
        page_views > 0 OR channel IN ('website', 'shop', 'app', 'store', 'phone', 'chat',
            'messenger', 'order_card', 'support') AS is_touch,
        is_touch AND traffic_medium NOT IN ('', '(none)', 'offline') AS is_click,
        (traffic_source, traffic_medium, traffic_campaign, channel_group, started_at) AS own,
        argMaxIf(own, (started_at, session_id), is_click) OVER (
            PARTITION BY site, person_id ORDER BY started_at, session_id
            ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
        ) AS click
    FROM person_sessions
)
COMMENT 'Sessions with the person as known now, and with the source that counts: of a direct visit the last other one';

ALTER TABLE session_sources
    COMMENT COLUMN is_touch 'The person did something: it has a page view, or began where people act and not where they are sent something',
    COMMENT COLUMN last_non_direct_source 'Of a direct session: source of the last non-direct click of the person in 90 days; else its own',
    COMMENT COLUMN last_non_direct_medium 'Medium of that session',
    COMMENT COLUMN last_non_direct_campaign 'Campaign of that session',
    COMMENT COLUMN last_non_direct_group 'Channel group of that session',
    COMMENT COLUMN last_non_direct_at 'Beginning of that session',
    COMMENT COLUMN is_taken_over 'A direct session that has the source of another one';
