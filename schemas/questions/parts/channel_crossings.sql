-- Every change of channel of every person in a span, and the channel they began in (from '').
SELECT person_id, from_channel, to_channel, left_at, arrived_at,
    leadInFrame(false, 1, true) OVER later AS is_last
FROM
(
    SELECT person_id, toString(channel) AS to_channel, occurred_at AS arrived_at, turn, touchpoint_id,
        toString(lagInFrame(channel) OVER earlier) AS from_channel,
        lagInFrame(toNullable(occurred_at)) OVER earlier AS left_at
    FROM people_touchpoints(*, channel = '')
    WINDOW earlier AS (
        PARTITION BY person_id ORDER BY occurred_at, turn, touchpoint_id
        ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING
    )
)
WHERE from_channel != to_channel
WINDOW later AS (
    PARTITION BY person_id ORDER BY arrived_at, turn, touchpoint_id
    ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING
)
