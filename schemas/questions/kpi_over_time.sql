-- How does a KPI go through time?
-- `kpi` is one of those of `kpi_definitions`, or empty for all.
SELECT toStartOfInterval(v.at, toIntervalSecond({step:UInt32})) AS time, v.kpi AS kpi, v.currency AS currency,
    multiIf(
        any(d.reading) = 'sum', sum(v.value), any(d.reading) = 'median', medianExact(v.value),
        any(d.reading) = 'people', toFloat64(uniqExact(v.person_id)), avg(v.value)
    ) AS value, count() AS observations
FROM kpi_values(*) AS v
INNER JOIN kpi_definitions AS d ON d.kpi = v.kpi
GROUP BY time, kpi, currency
ORDER BY time, kpi, currency
