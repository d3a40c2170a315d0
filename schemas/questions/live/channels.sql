-- On which channels did anything ever happen?
SELECT toString(channel) AS channel
FROM inventory_states
WHERE site = {site:String}
GROUP BY channel
ORDER BY count() DESC, channel
