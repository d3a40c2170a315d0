-- What was left behind, what is at stake, why, and what comes back?
-- In the span: `people` and `at_stake` are what `abandonments_by_kind` calls `people` and `lost`. An
-- empty kind is all together that has a value; not whole journeys, whose cart has its own row. `won`
-- came back in the span, whenever it was left. Of the `of_week` that were left in the seven days
-- before `end`, `recovered_of_week` came back.
SELECT a_kind AS kind, currency,
    uniqExactIf(person_id, is_now) AS people,
    uniqExactIf(person_id, is_now AND recovered_at IS NULL) AS waiting,
    toFloat64(sumIf(value, is_now AND recovered_at IS NULL)) AS at_stake,
    arrayElement(topKIf(1)(l.cause, l.is_now AND l.cause != ''), 1) AS cause,
    countIf(l.is_now AND l.cause != '') AS explained,
    arrayElement(topKIf(1)(l.step, l.is_now), 1) AS step,
    uniqExactIf(person_id, is_won) AS won_people,
    toFloat64(sumIf(value, is_won)) AS won,
    countIf(is_of_week) AS of_week,
    countIf(is_of_week AND recovered_at IS NOT NULL) AS recovered_of_week
FROM
(
    SELECT a.person_id AS person_id, toString(a.kind) AS kind, toString(a.currency) AS currency,
        a.value AS value, toString(a.cause) AS cause, toString(a.step) AS step, a.recovered_at AS recovered_at,
        a.abandoned_at >= {start:DateTime64(3, 'UTC')} AS is_now,
        ifNull(a.recovered_at >= {start:DateTime64(3, 'UTC')} AND a.recovered_at < {end:DateTime64(3, 'UTC')}, false) AS is_won,
        a.abandoned_at >= {end:DateTime64(3, 'UTC')} - INTERVAL 7 DAY AS is_of_week
    FROM people_abandonments(*, start = {start:DateTime64(3, 'UTC')} - INTERVAL 35 DAY) AS a
    WHERE is_now OR is_won OR is_of_week
) AS l
ARRAY JOIN if(l.kind = 'journey' OR l.value = 0, [l.kind], ['', l.kind]) AS a_kind
GROUP BY a_kind, currency
ORDER BY kind, at_stake DESC, people DESC, currency
