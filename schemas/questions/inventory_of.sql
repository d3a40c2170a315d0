-- Which touchpoints are there, and which do the models not know?
-- Of all time. `phases` are those that a model takes it as evidence for; counts above some ten
-- thousand are estimates.
SELECT name, channel, first_seen, last_seen, touchpoints, visitors, is_declared,
    arrayMap(phase -> concat(phase.1, ' ', phase.2), phases) AS phases
FROM inventory
WHERE site = {site:String}
ORDER BY touchpoints DESC, name, channel
LIMIT {most:UInt32}
