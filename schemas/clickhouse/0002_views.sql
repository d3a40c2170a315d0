-- Who a visitor is: the first user id it was ever seen with. A set state, so repeats change nothing.
CREATE TABLE visitor_links
(
    site       LowCardinality(String) COMMENT 'Shop or brand',
    visitor_id String COMMENT 'The device, or user:<id> without one',
    user_id    AggregateFunction(argMin, String, Tuple(DateTime64(3, 'UTC'), String)) COMMENT 'State of people.user_id'
)
ENGINE = AggregatingMergeTree
ORDER BY (site, visitor_id)
SETTINGS non_replicated_deduplication_window = 10000
COMMENT 'The states behind the view people';

CREATE MATERIALIZED VIEW visitor_links_mv TO visitor_links AS
SELECT t.site AS site, t.visitor_id AS visitor_id,
    argMinState(t.user_id, (t.occurred_at, t.touchpoint_id)) AS user_id
FROM touchpoints AS t
WHERE t.user_id != ''
GROUP BY site, visitor_id;

CREATE VIEW people
(
    site       LowCardinality(String) COMMENT 'Shop or brand',
    visitor_id String COMMENT 'The device, or user:<id> without one',
    user_id    String COMMENT 'The first user id that this visitor was ever seen with'
)
AS
SELECT l.site AS site, l.visitor_id AS visitor_id, argMinMerge(l.user_id) AS user_id
FROM visitor_links AS l
GROUP BY site, visitor_id
COMMENT 'Visitors that have been seen with a user id';

-- A touchpoint belongs to the session of its visitor that was running at its time. Rows of
-- `touchpoints` never change, so this is where a late touchpoint that joins two sessions shows.
CREATE VIEW session_touchpoints AS
SELECT t.*, s.session_id AS session_id, s.person_id AS person_id
FROM (SELECT * FROM touchpoints FINAL WHERE NOT is_late) AS t
ASOF INNER JOIN (SELECT site, visitor_id, session_id, person_id, started_at FROM sessions FINAL) AS s
    ON t.site = s.site AND t.visitor_id = s.visitor_id AND t.occurred_at >= s.started_at
COMMENT 'Touchpoints with the session they belong to; late ones belong to none';
