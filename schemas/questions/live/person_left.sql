-- What did the visitors of a person leave behind?
SELECT kind, step, opened_at, last_touchpoint_at, last_touchpoint_id, abandoned_at, value, currency,
    cause, recovered_at
FROM abandonments FINAL
WHERE site = {site:String} AND visitor_id IN {visitors:Array(String)}
ORDER BY abandoned_at
