-- Visitors with a visit that reaches into a span, and all others that are the same people.
SELECT visitor_key
FROM sessions
WHERE site = {site:String} AND NOT is_bot
    AND started_at < {end:DateTime64(3, 'UTC')} AND ended_at >= {start:DateTime64(3, 'UTC')}
UNION DISTINCT
SELECT visitor_key FROM linked_around(*)
