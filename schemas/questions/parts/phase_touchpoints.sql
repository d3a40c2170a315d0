-- Touchpoints of people in a span, with the phase of the model in which they happened.
SELECT t.person_id AS person_id, t.visitor_id AS visitor_id, t.touchpoint_id AS touchpoint_id,
    t.occurred_at AS occurred_at, t.name AS name, t.channel AS channel, t.properties AS properties,
    t.waited AS waited, s.phase AS phase, s.cycle AS cycle, s.entered_at AS entered_at,
    s.left_at AS left_at, s.moved_on AS moved_on
FROM people_touchpoints(*) AS t
ASOF INNER JOIN stays_in(*) AS s ON t.person_id = s.person_id AND t.occurred_at >= s.entered_at
