-- Touchpoints of people in a span, each with what came after it.
-- `next_name` is the next one of the visit; `has_complaint` and `satisfaction` (0 to 100) are what the
-- same person said next, within a day; `satisfaction` also the touchpoint's own rating. Sorted by ids,
-- as the table is: keys would have to be sorted anew.
SELECT occurred_at AS at, person_id, person_key, name, channel,
    leadInFrame(visit_at) OVER visitor != visit_at AS is_exit,
    if(is_exit, '', toString(leadInFrame(name) OVER visitor)) AS next_name,
    CAST(waited, 'Nullable(Float64)') AS waiting_seconds,
    leadInFrame(name) OVER later = 'Complaint Made'
        AND leadInFrame(occurred_at) OVER later <= occurred_at + INTERVAL 1 DAY AS has_complaint,
    coalesce(rated, if(
        leadInFrame(name) OVER later = 'Survey Answered'
            AND leadInFrame(occurred_at) OVER later <= occurred_at + INTERVAL 1 DAY,
        leadInFrame(rated) OVER later, NULL
    )) AS satisfaction
FROM
(
    SELECT t.*, s.started_at AS visit_at
    FROM
    (
        SELECT visitor_id, visitor_key, person_id, person_key, occurred_at, turn, touchpoint_id, name,
            channel, waited,
            multiIf(
                name != 'Survey Answered' AND position(properties, '"rating"') > 0 AND JSONHas(properties, 'rating'),
                toNullable(25 * (JSONExtractFloat(properties, 'rating') - 1)),
                name != 'Survey Answered', NULL,
                lower(if(
                    JSONHas(properties, 'kind'), JSONExtractString(properties, 'kind'),
                    JSONExtractString(properties, 'survey')
                )) = 'nps', 10 * JSONExtractFloat(properties, 'score'),
                25 * (JSONExtractFloat(properties, 'score') - 1)
            ) AS rated
        FROM people_touchpoints(*)
    ) AS t
    ASOF INNER JOIN sessions_around(*) AS s
        ON t.visitor_key = s.visitor_key AND t.occurred_at >= s.started_at
)
WINDOW
    visitor AS (
        PARTITION BY visitor_id ORDER BY occurred_at, turn, touchpoint_id
        ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING
    ),
    later AS (
        PARTITION BY person_id ORDER BY occurred_at, turn, touchpoint_id
        ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING
    )
