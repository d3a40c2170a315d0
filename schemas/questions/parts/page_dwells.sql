-- How long people stayed on the pages they opened in a span; the last of a visit may be unknown.
SELECT person_id, visitor_id, channel, path, at,
    if(engaged > 0, engaged, dateDiff('millisecond', at, closed_at) / 1000) AS seconds
FROM
(
    SELECT any(person_id) AS person_id, any(visitor_id) AS visitor_id,
        argMin(channel, (occurred_at, turn, touchpoint_id)) AS channel,
        argMin(path, (occurred_at, turn, touchpoint_id)) AS path,
        min(occurred_at) AS at, sum(engaged_seconds) AS engaged,
        leadInFrame(min(occurred_at), 1, any(ended_at)) OVER (
            PARTITION BY session_id ORDER BY page
            ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING
        ) AS closed_at
    FROM
    (
        SELECT person_id, visitor_id, session_id, channel, path, occurred_at, turn, touchpoint_id,
            ended_at, engaged_seconds,
            sum(type IN ('page', 'screen') OR name IN ('Page Viewed', 'Screen Viewed')) OVER (
                PARTITION BY session_id ORDER BY occurred_at, turn, touchpoint_id
                ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
            ) AS page
        FROM touchpoints_in_sessions(*)
        WHERE type IN ('page', 'screen') OR name IN ('Page Viewed', 'Screen Viewed', 'Page Engaged')
    )
    WHERE page > 0
    GROUP BY session_id, page
)
WHERE seconds > 0
