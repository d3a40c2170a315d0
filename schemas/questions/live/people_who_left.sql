-- Who left something behind?
-- As `left_behind` counts; `what` is the kind; empty: all that has a value. `where` is empty, `waiting`
-- (it has not come back) or `won` (it came back in the span); `currency` is one, or * for all.
SELECT person_id, max(at) AS at, count() OVER () AS total
FROM
(
    SELECT person_id, last_touchpoint_at AS at
    FROM people_abandonments(*, start = {start:DateTime64(3, 'UTC')} - INTERVAL 35 DAY)
    WHERE {currency:String} IN ('*', currency) AND if({what:String} = '', kind != 'journey' AND value > 0, kind = {what:String})
        AND if(
            {where:String} = 'won',
            recovered_at >= {start:DateTime64(3, 'UTC')} AND recovered_at < {end:DateTime64(3, 'UTC')},
            abandoned_at >= {start:DateTime64(3, 'UTC')} AND ({where:String} != 'waiting' OR recovered_at IS NULL)
        )
)
GROUP BY person_id
ORDER BY at DESC, person_id
LIMIT {most:UInt32}
