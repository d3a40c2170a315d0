-- The days on which some visitors were seen, each on its own.
SELECT DISTINCT day, visitor_id
FROM visitor_days
WHERE site = {site:String} AND visitor_id IN {visitors:Array(String)}
