-- Which visits did the visitors of a person make?
SELECT session_id, visitor_id, started_at, ended_at, touchpoints, channel, channel_group, device,
    entry_path, exit_path, orders, revenue, currency
FROM sessions FINAL
WHERE site = {site:String} AND visitor_id IN {visitors:Array(String)}
    AND toDate(started_at) IN (SELECT day FROM days_of_visitors(*))
ORDER BY started_at, session_id
LIMIT {most:UInt32}
