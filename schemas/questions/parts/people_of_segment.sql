-- People whose newest property or trait `segment`, else trait `persona`, is this one.
SELECT person_id
FROM
(
    SELECT if(i.person_id = '', g.visitor_id, i.person_id) AS person_id, argMaxMerge(g.segment) AS newest
    FROM (SELECT visitor_id, segment FROM segment_states WHERE site = {site:String}) AS g
    LEFT JOIN linked(*) AS i ON g.visitor_id = i.visitor_id
    GROUP BY person_id
)
WHERE newest = {segment:String}
