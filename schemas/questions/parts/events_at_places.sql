-- What happened at a page or step in a span: calls for help, complaints, notes of staff, waits.
-- What has no page of its own (a call, a complaint) belongs to the page and the step that the
-- person saw last, if that was within a day; a note to the step it names.
SELECT e.person_id AS person_id, e.person_key AS person_key, e.occurred_at AS at, e.what AS what, e.seconds AS seconds,
    multiIf(e.path != '', e.path, p.occurred_at >= e.occurred_at - INTERVAL 1 DAY, p.path, '') AS page,
    multiIf(
        e.what = 'feedback' AND JSONHas(e.properties, 'touchpoint'),
        JSONExtractString(e.properties, 'touchpoint'),
        e.is_step, toString(e.name),
        s.occurred_at >= e.occurred_at - INTERVAL 1 DAY, toString(s.name),
        ''
    ) AS step
FROM
(
    SELECT person_id, person_key, occurred_at, name, path, properties, coalesce(waited, 0) AS seconds,
        multiIf(
            name IN ('Support Contacted', 'Chat Started', 'Phone Call Received'), 'support',
            name = 'Complaint Made', 'complaint',
            name = 'Feedback Noted', 'feedback',
            'wait'
        ) AS what,
        name IN (SELECT step FROM journey_steps FINAL) AS is_step
    FROM people_touchpoints(*)
    WHERE what != 'wait' OR waited > 0
) AS e
ASOF LEFT JOIN
(
    SELECT person_key, occurred_at, path
    FROM people_touchpoints(*, start = {start:DateTime64(3, 'UTC')} - INTERVAL 1 DAY, channel = '')
    WHERE path != '' AND person_key IN (SELECT person_key FROM people_without_a_page(*))
) AS p ON e.person_key = p.person_key AND e.occurred_at >= p.occurred_at
ASOF LEFT JOIN
(
    SELECT person_key, occurred_at, name
    FROM people_touchpoints(*, start = {start:DateTime64(3, 'UTC')} - INTERVAL 1 DAY, channel = '')
    WHERE name IN (SELECT step FROM journey_steps FINAL)
) AS s ON e.person_key = s.person_key AND e.occurred_at >= s.occurred_at
