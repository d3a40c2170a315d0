-- Who went from one channel to another?
-- As `channel_changes` counts; from `what` to `where`.
SELECT person_id, max(at) AS at, count() OVER () AS total
FROM (SELECT person_id, arrived_at AS at, from_channel, to_channel FROM channel_crossings(*))
WHERE from_channel = {what:String} AND to_channel = {where:String}
GROUP BY person_id
ORDER BY at DESC, person_id
LIMIT {most:UInt32}
