-- Touchpoints of people in a span, with the visit they belong to, and its end.
SELECT t.*, s.session_id AS session_id, s.ended_at AS ended_at
FROM people_touchpoints(*) AS t
ASOF INNER JOIN sessions_around(*) AS s
    ON t.visitor_key = s.visitor_key AND t.occurred_at >= s.started_at
