-- What the journey map of a span counts: people, channel by channel, in each stay; their answers.
SELECT toString(t.phase) AS phase, toString(t.channel) AS channel, t.person_id AS person_id,
    t.person_key AS person_key, t.cycle AS cycle, t.entered_at AS entered_at, t.touchpoints AS touchpoints,
    t.pain_points AS pain_points, t.moved_on AS moved_on,
    dateDiff('second', t.entered_at, t.left_at) AS seconds, t.satisfied AS satisfied, t.answers AS answers
FROM
(
    SELECT p.phase AS phase, p.channel AS channel, p.person_key AS person_key, p.cycle AS cycle,
        any(p.person_id) AS person_id, p.entered_at AS entered_at, any(p.left_at) AS left_at,
        any(p.moved_on) AS moved_on, count() AS touchpoints,
        countIf(
            p.name IN ('Support Contacted', 'Chat Started', 'Phone Call Received', 'Complaint Made')
            OR (p.name = 'Feedback Noted' AND NOT p.names_phase)
        ) + sum(a.abandonments) AS pain_points,
        sum(v.satisfaction) AS satisfied, countIf(v.touchpoint_key != 0) AS answers
    FROM phase_touchpoints(*) AS p
    LEFT JOIN
    (
        SELECT cityHash64(visitor_id, last_touchpoint_id) AS touchpoint_key, count() AS abandonments
        FROM people_abandonments(*, channel = '', segment = '', end = {end:DateTime64(3, 'UTC')} + INTERVAL 200 DAY)
        WHERE last_touchpoint_at < {end:DateTime64(3, 'UTC')}
        GROUP BY touchpoint_key
    ) AS a ON p.touchpoint_key = a.touchpoint_key
    LEFT JOIN
    (
        SELECT touchpoint_key, satisfaction FROM survey_answers(*)
        WHERE phase NOT IN (SELECT phase FROM journey_models FINAL WHERE model = {model:String})
    ) AS v ON p.touchpoint_key = v.touchpoint_key
    GROUP BY phase, channel, person_key, cycle, entered_at
) AS t
UNION ALL
SELECT toString(m.phase), toString(v.channel), v.person_id, v.person_key, 0, v.at, 0, 0, false, NULL, v.satisfaction, 1
FROM survey_answers(*) AS v
INNER JOIN (SELECT phase FROM journey_models FINAL WHERE model = {model:String}) AS m ON m.phase = v.phase
UNION ALL
SELECT toString(m.phase), toString(n.channel), n.visitor_id, n.visitor_key, 0, n.occurred_at, 0, 1, false, NULL, 0, 0
FROM (SELECT * FROM touchpoints_in(*) WHERE name = 'Feedback Noted' AND {segment:String} = '') AS n
INNER JOIN (SELECT phase FROM journey_models FINAL WHERE model = {model:String}) AS m
    ON m.phase = JSONExtractString(n.properties, 'phase')
