-- Whom does this KPI tell about?
-- `what` is the KPI.
SELECT person_id, max(at) AS at, count() OVER () AS total
FROM (SELECT person_id, at FROM kpi_values(*, kpi = {what:String}))
GROUP BY person_id
ORDER BY at DESC, person_id
LIMIT {most:UInt32}
