-- The days on which a person was seen.
SELECT DISTINCT day
FROM visitor_days
WHERE site = {site:String} AND visitor_id IN (SELECT visitor_id FROM visitors_of(*))
