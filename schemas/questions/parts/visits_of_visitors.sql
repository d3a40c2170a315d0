-- All visits of some visitors.
SELECT * FROM sessions FINAL
PREWHERE (toDate(started_at), visitor_id) IN (SELECT day, visitor_id FROM days_of_visitors(*))
WHERE site = {site:String}
