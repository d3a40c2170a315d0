-- Who is behind this cell of the map?
-- `what` is the phase, `where` the channel; empty: all.
SELECT person_id, max(at) AS at, count() OVER () AS total
FROM (SELECT person_id, entered_at AS at, phase, channel, touchpoints FROM map_rows(*))
WHERE phase = {what:String} AND touchpoints > 0 AND ({where:String} = '' OR channel = {where:String})
GROUP BY person_id
ORDER BY at DESC, person_id
LIMIT {most:UInt32}
