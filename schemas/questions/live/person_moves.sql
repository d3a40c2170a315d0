-- When did the visitors of a person enter which phase of the model?
SELECT visitor_id, at, turn, from_phase, to_phase, kind, cycle, touchpoint_id, channel
FROM transitions FINAL
PREWHERE (toDate(at), visitor_id) IN (SELECT day, visitor_id FROM days_of_visitors(*))
WHERE site = {site:String} AND model = {model:String}
ORDER BY at, turn, touchpoint_id
