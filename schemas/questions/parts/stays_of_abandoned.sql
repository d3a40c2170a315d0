-- When people who abandoned something in a span came into which phase.
SELECT if(i.person_id = '', t.visitor_id, i.person_id) AS person_id, t.to_phase AS phase,
    t.at AS entered_at
FROM
(
    SELECT r.visitor_id AS visitor_id, argMax(r.to_phase, r.version) AS to_phase, any(r.at) AS at
    FROM transitions AS r
    PREWHERE r.visitor_id IN
    (
        SELECT visitor_id FROM people_abandonments(*)
        UNION DISTINCT
        SELECT visitor_id FROM linked(*)
        WHERE person_id IN (SELECT person_id FROM people_abandonments(*))
    )
    WHERE r.site = {site:String} AND r.model = {model:String} AND r.at < {end:DateTime64(3, 'UTC')}
    GROUP BY r.visitor_id, r.touchpoint_id
    HAVING argMax(r.is_deleted, r.version) = 0
) AS t
LEFT JOIN linked(*) AS i ON t.visitor_id = i.visitor_id
