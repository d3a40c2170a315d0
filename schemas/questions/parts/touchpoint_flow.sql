-- Touchpoints of people in a span, each with what came after it.
-- `next_name` is the next one of the visit; `has_complaint` and `satisfaction` (0 to 100) are what the
-- same person said next, within a day; `satisfaction` also the touchpoint's own rating.
WITH multiIf(
    name != 'Survey Answered' AND position(properties, '"rating"') > 0 AND JSONHas(properties, 'rating'),
    toNullable(25 * (JSONExtractFloat(properties, 'rating') - 1)),
    name != 'Survey Answered', NULL,
    lower(if(
        JSONHas(properties, 'kind'), JSONExtractString(properties, 'kind'), JSONExtractString(properties, 'survey')
    )) = 'nps', 10 * JSONExtractFloat(properties, 'score'),
    25 * (JSONExtractFloat(properties, 'score') - 1)
) AS rated
SELECT occurred_at AS at, person_id, session_id, name, channel,
    leadInFrame(touchpoint_id) OVER within = '' AS is_exit,
    toString(leadInFrame(name) OVER within) AS next_name,
    CAST(waited, 'Nullable(Float64)') AS waiting_seconds,
    leadInFrame(name) OVER later = 'Complaint Made'
        AND leadInFrame(occurred_at) OVER later <= occurred_at + INTERVAL 1 DAY AS has_complaint,
    coalesce(rated, if(
        leadInFrame(name) OVER later = 'Survey Answered'
            AND leadInFrame(occurred_at) OVER later <= occurred_at + INTERVAL 1 DAY,
        leadInFrame(rated) OVER later, NULL
    )) AS satisfaction
FROM touchpoints_in_sessions(*)
WINDOW
    within AS (
        PARTITION BY session_id ORDER BY occurred_at, turn, touchpoint_id
        ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING
    ),
    later AS (
        PARTITION BY person_id ORDER BY occurred_at, turn, touchpoint_id
        ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING
    )
