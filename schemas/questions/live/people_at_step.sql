-- Who got to this step of the funnel?
-- As `funnel_windows` counts; `what` is a step or, if that is no step, the visit: `Page Viewed`.
-- `where` is empty, `lost` (not to the next one) or `gone_on`.
WITH (
    SELECT arraySort(groupArray((place, toString(step)))).2
    FROM journey_steps FINAL
    WHERE model = {model:String} AND place > 0
) AS steps,
if({what:String} = 'Page Viewed' AND NOT has(steps, 'Page Viewed'), 0, indexOf(steps, {what:String})) AS place
SELECT person_id, max(occurred_at) AS at, count() OVER () AS total
FROM people_touchpoints(*)
WHERE ({what:String} = 'Page Viewed' OR place > 0) AND (name = 'Page Viewed' OR has(steps, name))
GROUP BY person_id
HAVING hasAll(groupUniqArray(toString(name)) AS names, arraySlice(steps, 1, place))
    AND ({where:String} != 'gone_on' OR hasAll(names, arraySlice(steps, 1, place + 1)))
    AND ({where:String} != 'lost' OR NOT hasAll(names, arraySlice(steps, 1, place + 1)))
ORDER BY at DESC, person_id
LIMIT {most:UInt32}
