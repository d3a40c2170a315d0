-- Touchpoints of people in a span, with the phase of the model in which they happened.
-- `names_phase`: a note of the staff that says itself which phase it is about.
SELECT t.person_id AS person_id, t.person_key AS person_key, t.touchpoint_key AS touchpoint_key,
    t.occurred_at AS occurred_at, t.name AS name, t.channel AS channel, t.names_phase AS names_phase,
    t.waited AS waited, s.phase AS phase, s.cycle AS cycle, s.entered_at AS entered_at,
    s.left_at AS left_at, s.moved_on AS moved_on
FROM
(
    SELECT person_id, person_key, touchpoint_key, occurred_at, name, channel, waited,
        name = 'Feedback Noted' AND JSONHas(properties, 'phase') AS names_phase
    FROM people_touchpoints(*)
) AS t
ASOF INNER JOIN stays_in(*) AS s ON t.person_key = s.person_key AND t.occurred_at >= s.entered_at
