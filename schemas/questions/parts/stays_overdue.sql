-- Visitors whose time in a phase ran out in a span, by the minimum standard of the model.
-- Read from the days alone on which they may have entered it.
SELECT DISTINCT t.visitor_key AS visitor_key
FROM
(
    SELECT visitor_key, to_phase, at
    FROM transitions
    WHERE site = {site:String} AND model = {model:String} AND toDate(at) IN
    (
        SELECT arrayJoin(arrayMap(day -> toDate(subtractSeconds({start:DateTime64(3, 'UTC')}, max_seconds)) + day,
            range(2 + dateDiff('day', {start:DateTime64(3, 'UTC')}, {end:DateTime64(3, 'UTC')}))))
        FROM journey_models FINAL
        WHERE model = {model:String} AND max_seconds > 0
    )
) AS t
INNER JOIN
(
    SELECT phase, max_seconds FROM journey_models FINAL
    WHERE model = {model:String} AND max_seconds > 0
) AS m ON m.phase = t.to_phase
WHERE addSeconds(t.at, m.max_seconds) >= {start:DateTime64(3, 'UTC')}
    AND addSeconds(t.at, m.max_seconds) < {end:DateTime64(3, 'UTC')}
