-- Which sites have data?
-- At most 200, with touchpoints that are not of bots.
SELECT DISTINCT toString(site) AS site
FROM inventory_states
WHERE inventory_states.site != ''
ORDER BY site
LIMIT 200
