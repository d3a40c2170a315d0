-- Stays in the phases of a model that lie in a span or reach into it, of the people seen in it.
-- `left_at` is null when a stay goes on at the end of the span.
SELECT person_id, person_key, cycle, phase, channel, entered_at, left_at, next_phase, moved_on
FROM
(
    SELECT person_id, person_key, cycle, to_phase AS phase, channel, at AS entered_at,
        leadInFrame(toNullable(at)) OVER later AS left_at,
        leadInFrame(to_phase) OVER later AS next_phase,
        leadInFrame(kind) OVER later IN ('forward', 'skip') AS moved_on
    FROM transitions_of(*)
    WINDOW later AS (
        PARTITION BY person_key ORDER BY at, turn, touchpoint_id
        ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING
    )
)
WHERE left_at IS NULL OR left_at >= {start:DateTime64(3, 'UTC')}
