-- The days on which some people were seen.
SELECT DISTINCT day
FROM visitor_days
WHERE site = {site:String} AND visitor_id IN (SELECT visitor_id FROM visitors_of_people(*))
