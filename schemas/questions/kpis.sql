-- How is the journey, on three levels?
-- `kpi` is one of them, or empty for all; docs/kpis.md defines each. `levels` are journey, or the
-- phases that it tells about. `before` is the KPI of as long a span before.
SELECT d.kpi AS kpi, n.currency AS currency, n.value AS value, n.observations AS observations,
    n.people AS people, d.unit AS unit, d.levels AS levels, d.en AS en, d.de AS de, d.formula AS formula
FROM
(
    SELECT v.kpi AS kpi, v.currency AS currency, count() AS observations, uniqExact(v.person_id) AS people,
        multiIf(
            any(d.reading) = 'sum', sum(v.value), any(d.reading) = 'median', medianExact(v.value),
            any(d.reading) = 'people', toFloat64(people), avg(v.value)
        ) AS value
    FROM kpi_values(*) AS v
    INNER JOIN kpi_definitions AS d ON d.kpi = v.kpi
    GROUP BY kpi, currency
) AS n
INNER JOIN kpi_definitions AS d ON d.kpi = n.kpi
ORDER BY d.levels, kpi, currency
