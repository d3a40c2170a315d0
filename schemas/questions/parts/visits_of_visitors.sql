-- All visits of some visitors.
SELECT * FROM sessions FINAL
WHERE site = {site:String}
    AND (toDate(started_at), visitor_id) IN (SELECT day, visitor_id FROM days_of_visitors(*))
