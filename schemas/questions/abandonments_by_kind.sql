-- What is abandoned, what does it cost, and what came back?
-- By the time it counts as abandoned. `at_stake` is the value of all of it, `lost` of what has not
-- come back. `cause` is presumed most often, of those that have one (`explained`).
SELECT kind, currency, count() AS abandoned, uniqExact(person_id) AS people,
    toFloat64(sum(value)) AS at_stake,
    countIf(recovered_at IS NOT NULL) AS recovered,
    toFloat64(sumIf(value, recovered_at IS NOT NULL)) AS won_back,
    toFloat64(sumIf(value, recovered_at IS NULL)) AS lost,
    arrayElementOrNull(topKIf(1)(toString(a.cause), a.cause != ''), 1) AS cause,
    countIf(a.cause != '') AS explained,
    arrayElement(topK(1)(toString(a.step)), 1) AS step
FROM people_abandonments(*) AS a
GROUP BY kind, currency
ORDER BY lost DESC, abandoned DESC, kind, currency
