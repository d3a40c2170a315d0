-- Through which phases did these visitors go?
SELECT visitor_id, groupArray((at_ms, phase)) AS moves
FROM
(
    SELECT visitor_id, toUnixTimestamp64Milli(at) AS at_ms, toString(to_phase) AS phase
    FROM transitions FINAL
    PREWHERE (toDate(at), visitor_id) IN (SELECT day, visitor_id FROM days_of_visitors(*))
    WHERE site = {site:String} AND model = {model:String}
    ORDER BY at, turn, touchpoint_id
)
GROUP BY visitor_id
