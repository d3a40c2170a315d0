-- When did the visitors of a person enter which phase of the model?
SELECT visitor_id, at, turn, from_phase, to_phase, kind, cycle, touchpoint_id, channel
FROM transitions FINAL
WHERE site = {site:String} AND model = {model:String} AND visitor_id IN {visitors:Array(String)}
    AND toDate(at) IN (SELECT day FROM days_of_visitors(*))
ORDER BY at, turn, touchpoint_id
