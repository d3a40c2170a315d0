-- How many people come how far?
-- The steps are those of the model. `reach`: people with the step in the span; `closed`: with this
-- step and every one before it, in any order.
SELECT s.place AS place, s.step AS step,
    sum(has(p.names, s.step)) AS reach,
    sum(hasAll(p.names, arraySlice(s.all, 1, s.place))) AS closed,
    closed / nullIf(lagInFrame(closed) OVER (ORDER BY place), 0) AS from_previous
FROM
(
    SELECT place, step, arraySort(groupArray((place, step)) OVER ()).2 AS all
    FROM journey_steps FINAL
    WHERE model = {model:String} AND place > 0
) AS s
CROSS JOIN
(
    SELECT groupUniqArray(toString(name)) AS names
    FROM people_touchpoints(*)
    WHERE name IN (SELECT step FROM journey_steps FINAL WHERE model = {model:String} AND place > 0)
    GROUP BY person_id
) AS p
GROUP BY place, step
ORDER BY place
