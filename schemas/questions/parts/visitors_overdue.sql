-- Visitors whose time in a phase ran out in a span, by the minimum standard of the model.
-- And all others that are the same people.
WITH overdue AS
(
    SELECT DISTINCT t.visitor_id AS visitor_id
    FROM
    (
        SELECT visitor_id, to_phase, at
        FROM transitions
        WHERE site = {site:String} AND model = {model:String} AND at < {end:DateTime64(3, 'UTC')}
    ) AS t
    INNER JOIN
    (
        SELECT phase, max_seconds FROM journey_models FINAL
        WHERE model = {model:String} AND max_seconds > 0
    ) AS m ON m.phase = t.to_phase
    WHERE addSeconds(t.at, m.max_seconds) >= {start:DateTime64(3, 'UTC')}
        AND addSeconds(t.at, m.max_seconds) < {end:DateTime64(3, 'UTC')}
)
SELECT visitor_id FROM overdue
UNION DISTINCT
SELECT visitor_id FROM linked(*) WHERE person_id IN
    (SELECT person_id FROM linked(*) WHERE visitor_id IN (SELECT visitor_id FROM overdue))
