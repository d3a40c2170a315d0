-- Who had this touchpoint on this channel?
-- `what` is its name, `where` the channel. Touchpoints outside of any visit do not count, as in
-- `touchpoint_kpis`.
SELECT person_id, max(at) AS at, count() OVER () AS total
FROM (SELECT person_id, at, name, channel FROM touchpoint_flow(*))
WHERE name = {what:String} AND channel = {where:String}
GROUP BY person_id
ORDER BY at DESC, person_id
LIMIT {most:UInt32}
