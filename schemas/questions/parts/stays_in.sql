-- Stays in the phases of a model that lie in a span or reach into it, of the people seen in it.
SELECT person_id, cycle, phase, channel, session_id, entered_at, left_at, next_phase, moved_on
FROM
(
    SELECT person_id, cycle, to_phase AS phase, channel, session_id, at AS entered_at,
        leadInFrame(toNullable(at)) OVER later AS left_at,
        leadInFrame(to_phase) OVER later AS next_phase,
        leadInFrame(kind) OVER later IN ('forward', 'skip') AS moved_on
    FROM
    (
        SELECT t.*, if(i.person_id = '', t.visitor_id, i.person_id) AS person_id
        FROM
        (
            SELECT * EXCEPT (person_id)
            FROM transitions FINAL
            WHERE site = {site:String} AND model = {model:String} AND at < {end:DateTime64(3, 'UTC')}
                AND visitor_id IN (SELECT visitor_id FROM visitors_around(*))
            SETTINGS do_not_merge_across_partitions_select_final = 1
        ) AS t
        LEFT JOIN linked(*) AS i ON t.visitor_id = i.visitor_id
    )
    WINDOW later AS (
        PARTITION BY person_id ORDER BY at, version, transition_id
        ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING
    )
)
WHERE left_at IS NULL OR left_at >= {start:DateTime64(3, 'UTC')}
