-- The days on which some visitors were seen.
SELECT DISTINCT day
FROM visitor_days
WHERE site = {site:String} AND visitor_id IN {visitors:Array(String)}
