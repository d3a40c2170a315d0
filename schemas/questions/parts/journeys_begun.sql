-- Journeys (cycles of the model) that began in a span, with their first order before its end.
SELECT j.person_id AS person_id, j.visitor_id AS visitor_id, j.cycle AS cycle,
    j.started_at AS started_at, j.channel AS channel, min(o.ordered_at) AS ordered_at
FROM
(
    SELECT person_id, cycle, started_at, visitor_id, channel,
        leadInFrame(started_at, 1, toDateTime64('2299-01-01 00:00:00', 3, 'UTC')) OVER (
            PARTITION BY person_id ORDER BY started_at
            ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING
        ) AS next_at
    FROM
    (
        SELECT person_id, cycle, min(at) AS started_at, argMin(visitor_id, at) AS visitor_id,
            argMin(channel, at) AS channel, argMin(kind, at) AS begins
        FROM people_transitions(*)
        GROUP BY person_id, cycle
    )
    WHERE begins IN ('enter', 'cycle')
) AS j
LEFT JOIN
(
    SELECT person_id, toNullable(ordered_at) AS ordered_at FROM purchases(*)
    WHERE ordered_at >= {start:DateTime64(3, 'UTC')}
) AS o ON j.person_id = o.person_id AND o.ordered_at >= j.started_at AND o.ordered_at < j.next_at
GROUP BY person_id, visitor_id, cycle, started_at, channel
