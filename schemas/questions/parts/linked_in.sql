-- Linked visitors with a visit that reaches into a span, each with the person it belongs to now.
SELECT visitor_id, person_id, cityHash64(visitor_id) AS visitor_key, cityHash64(person_id) AS person_key
FROM identities FINAL
PREWHERE cityHash64(visitor_id) IN
(
    SELECT visitor_key
    FROM sessions
    WHERE site = {site:String}
        AND started_at < {end:DateTime64(3, 'UTC')} AND ended_at >= {start:DateTime64(3, 'UTC')}
)
WHERE site = {site:String}
