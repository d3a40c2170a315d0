-- Everything that happened in a span at a page, a step or in a phase of the model, and its time.
-- Who unsubscribes, or falls silent in a phase, does not give up at a step.
SELECT '' AS model, 'page' AS kind, path AS place, occurred_at AS at, person_id, person_key,
    'visit' AS what, 0. AS seconds
FROM people_touchpoints(*)
WHERE path != ''
UNION ALL
SELECT '', 'step', place, occurred_at, person_id, person_key, 'visit', 0.
FROM steps_reached(*)
UNION ALL
SELECT '', found.1, found.2, at, person_id, person_key, what, toFloat64(seconds)
FROM events_at_places(*)
ARRAY JOIN [('page', page), ('step', step)] AS found
WHERE found.2 != ''
UNION ALL
SELECT {model:String}, 'phase', toString(phase), occurred_at, person_id, person_key,
    multiIf(
        name IN ('Support Contacted', 'Chat Started', 'Phone Call Received'), 'support',
        name = 'Complaint Made', 'complaint', name = 'Feedback Noted', 'feedback', 'visit'
    ) AS what, toFloat64(coalesce(waited, 0))
FROM phase_touchpoints(*)
WHERE NOT (what = 'feedback' AND names_phase)
UNION ALL
SELECT {model:String}, 'phase', toString(m.phase), n.occurred_at, n.visitor_id, n.visitor_key, 'feedback', 0.
FROM (SELECT * FROM touchpoints_in(*) WHERE name = 'Feedback Noted') AS n
INNER JOIN (SELECT phase FROM journey_models FINAL WHERE model = {model:String}) AS m
    ON m.phase = JSONExtractString(n.properties, 'phase')
UNION ALL
SELECT '', found.1, found.2, abandoned_at, person_id, person_key, 'abandonment',
    toFloat64(dateDiff('second', opened_at, last_touchpoint_at))
FROM people_abandonments(*)
ARRAY JOIN [('page', toString(last_path)), ('step', if(
    kind = 'journey' OR step IN ('Unsubscribed', 'Newsletter Unsubscribed'), '', toString(step)
))] AS found
WHERE found.2 != ''
UNION ALL
SELECT {model:String}, 'phase', toString(s.phase), a.abandoned_at, a.person_id, a.person_key, 'abandonment',
    toFloat64(dateDiff('second', a.opened_at, a.last_touchpoint_at))
FROM people_abandonments(*) AS a
ASOF INNER JOIN stays_of_abandoned(*) AS s
    ON a.person_key = s.person_key AND a.last_touchpoint_at >= s.entered_at
