-- Who saw this page?
-- As `pages` counts; `what` is its path.
SELECT person_id, max(at) AS at, count() OVER () AS total
FROM (SELECT person_id, occurred_at AS at, type, path FROM people_touchpoints(*))
WHERE type IN ('page', 'screen') AND path = {what:String}
GROUP BY person_id
ORDER BY at DESC, person_id
LIMIT {most:UInt32}
