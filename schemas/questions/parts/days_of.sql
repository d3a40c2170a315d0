-- The days on which each visitor of a person was seen.
SELECT DISTINCT day, visitor_id
FROM visitor_days
WHERE site = {site:String} AND visitor_id IN (SELECT visitor_id FROM visitors_of(*))
