-- How many people come how far, in several windows at once?
-- As `funnel_steps` counts them (`closed`), with the visit before: `people` begins with all who did
-- anything of the funnel or saw a page. The windows (ms, both of equal length) lie in the span.
WITH {steps:Array(String)} AS steps
SELECT w, sumForEach(arrayMap(n -> hasAll(names, arraySlice(steps, 1, n)), range(length(steps) + 1))) AS people
FROM
(
    SELECT w, person_id, groupUniqArray(name) AS names
    FROM
    (
        SELECT person_id, toString(name) AS name, toUnixTimestamp64Milli(occurred_at) AS at
        FROM people_touchpoints(*)
        WHERE name = 'Page Viewed' OR name IN {steps:Array(String)}
    )
    ARRAY JOIN arrayFilter(
        n -> at >= {starts:Array(Int64)}[n] AND at < {ends:Array(Int64)}[n], arrayEnumerate({starts:Array(Int64)})
    ) AS w
    GROUP BY w, person_id
)
GROUP BY w
ORDER BY w
