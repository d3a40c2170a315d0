-- Who was there, the latest first?
-- A person is a pseudonym; `timeline` tells what each did.
SELECT person_id, max(ended_at) AS last_at, min(started_at) AS first_at, count() AS visits,
    sum(touchpoints) AS touchpoints, groupUniqArray(toString(channel)) AS channels,
    sum(v.orders) AS orders,
    if(uniqExactIf(v.currency, v.orders > 0) > 1, NULL, toFloat64(sum(v.revenue))) AS amount,
    argMax(exit_path, ended_at) AS last_page, argMax(toString(traffic_source), started_at) AS source
FROM visits(*) AS v
GROUP BY person_id
ORDER BY last_at DESC, person_id
LIMIT {most:UInt32}
