-- What share of visits goes on to the next step?
-- Of visits with a step, those that have the next one too. Of fewer than 30 visits there is no share
-- but the range that it probably lies in (Wilson, 95 %): `low` and `high`.
SELECT toDateTime(time, 'UTC') AS time, concat(step, ' → ', next) AS way, entries, gone_on,
    if(entries < 30, NULL, gone_on / entries) AS conversion,
    greatest(0, (gone_on + 1.92 - 1.96 * sqrt(gone_on * (entries - gone_on) / entries + 0.96)) / (entries + 3.84)) AS low,
    least(1, (gone_on + 1.92 + 1.96 * sqrt(gone_on * (entries - gone_on) / entries + 0.96)) / (entries + 3.84)) AS high
FROM
(
    SELECT toStartOfInterval(v.started_at, toIntervalSecond({step:UInt32})) AS time, f.place AS place,
        f.step AS step, f.next AS next, count() AS entries, countIf(has(v.steps, f.next)) AS gone_on
    FROM visits_begun(*) AS v
    CROSS JOIN
    (
        SELECT place, toString(step) AS step, toString(leadInFrame(step) OVER (
            ORDER BY place ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING
        )) AS next
        FROM journey_steps FINAL
        WHERE model = {model:String} AND place > 0
    ) AS f
    WHERE f.next != '' AND has(v.steps, f.step)
    GROUP BY time, place, step, next
)
ORDER BY time, place
