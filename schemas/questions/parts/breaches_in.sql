-- Minimum standards that were broken in a span: phases too long, waits too long.
SELECT kind, place, person_id, at, seconds, max_seconds, is_open
FROM
(
    SELECT 'phase' AS kind, toString(s.phase) AS place, s.person_id AS person_id,
        addSeconds(s.entered_at, m.max_seconds) AS at,
        toFloat64(dateDiff('second', s.entered_at, coalesce(s.left_at, now64(3)))) AS seconds,
        m.max_seconds AS max_seconds, s.left_at IS NULL AS is_open
    FROM
    (
        SELECT person_id, to_phase AS phase, at AS entered_at,
            leadInFrame(toNullable(at)) OVER later AS left_at
        FROM transitions_overdue(*)
        WINDOW later AS (
            PARTITION BY person_key ORDER BY at, turn, touchpoint_id
            ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING
        )
    ) AS s
    INNER JOIN
    (
        SELECT phase, max_seconds FROM journey_models FINAL
        WHERE model = {model:String} AND max_seconds > 0
    ) AS m ON m.phase = s.phase
    WHERE seconds > m.max_seconds
    UNION ALL
    SELECT 'wait', toString(w.channel), w.person_id,
        w.at - toIntervalMillisecond(round(1000 * (w.seconds - m.max_seconds))), w.seconds,
        m.max_seconds, false
    FROM waits(*) AS w
    INNER JOIN
    (
        SELECT channel, max_seconds FROM journey_waits FINAL
        WHERE model = {model:String} AND max_seconds > 0
    ) AS m ON m.channel = w.channel
    WHERE w.seconds > m.max_seconds
)
WHERE at >= {start:DateTime64(3, 'UTC')} AND at < {end:DateTime64(3, 'UTC')}
