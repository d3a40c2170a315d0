-- What is unusual, and what was until yesterday?
-- Alerts that fire, the most expensive first; then those that ended within a day before `end`.
SELECT alert_id, kind, step, next_step, state, opened_at, since, updated_at, resolved_at, dimension,
    value, arrayMap(slice -> slice.2, slices) AS slices, observed, expected, change, certainty,
    people, money, currency, title, notes
FROM alerts FINAL
WHERE site = {site:String} AND since < {end:DateTime64(3, 'UTC')}
    AND (state = 'firing' OR resolved_at >= {end:DateTime64(3, 'UTC')} - INTERVAL 1 DAY)
ORDER BY state = 'firing' DESC, money DESC, people DESC, since DESC
LIMIT 10
