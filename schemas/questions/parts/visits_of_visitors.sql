-- All visits of some visitors.
SELECT * FROM sessions FINAL
WHERE site = {site:String} AND visitor_id IN {visitors:Array(String)}
    AND toDate(started_at) IN (SELECT day FROM days_of_visitors(*))
