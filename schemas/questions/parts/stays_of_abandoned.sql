-- When people who abandoned something in a span came into which phase.
SELECT if(i.person_key = 0, t.visitor_key, i.person_key) AS person_key, t.to_phase AS phase,
    t.at AS entered_at
FROM
(
    SELECT r.visitor_key AS visitor_key, argMax(r.to_phase, r.version) AS to_phase, any(r.at) AS at
    FROM transitions AS r
    PREWHERE r.visitor_key IN
    (
        SELECT cityHash64(visitor_id) FROM people_abandonments(*)
        UNION DISTINCT
        SELECT visitor_key FROM linked(*)
        WHERE person_key IN (SELECT person_key FROM people_abandonments(*))
    )
    WHERE r.site = {site:String} AND r.model = {model:String} AND r.at < {end:DateTime64(3, 'UTC')}
    GROUP BY r.visitor_key, r.touchpoint_id
    HAVING argMax(r.is_deleted, r.version) = 0
) AS t
LEFT JOIN linked(*) AS i ON t.visitor_key = i.visitor_key
