-- Visitors with a visit that reaches into a span, and all others that are the same people.
WITH there AS
(
    SELECT DISTINCT visitor_id
    FROM sessions
    WHERE site = {site:String} AND NOT is_bot
        AND started_at < {end:DateTime64(3, 'UTC')} AND ended_at >= {start:DateTime64(3, 'UTC')}
)
SELECT visitor_id FROM there
UNION DISTINCT
SELECT visitor_id FROM linked(*) WHERE person_id IN (SELECT person_id FROM linked_in(*))
