-- People with a visit in a span, and when they were first seen at all.
SELECT if(i.person_id = '', d.visitor_id, i.person_id) AS person_id, min(d.first_at) AS first_at
FROM
(
    SELECT visitor_id, first_at
    FROM visitor_days
    WHERE site = {site:String} AND cityHash64(visitor_id) IN (SELECT visitor_key FROM visitors_around(*))
) AS d
LEFT JOIN linked_around(*) AS i ON d.visitor_id = i.visitor_id
GROUP BY person_id
