-- Where are these people in their journey at the end of the span?
SELECT if(i.person_id = '', t.visitor_id, i.person_id) AS named,
    argMax(toString(t.to_phase), (t.at, t.turn, t.touchpoint_id)) AS phase
FROM
(
    SELECT * EXCEPT (person_id)
    FROM transitions FINAL
    PREWHERE (toDate(at), visitor_id) IN (SELECT day, visitor_id FROM days_of_people(*))
    WHERE site = {site:String} AND model = {model:String} AND at < {end:DateTime64(3, 'UTC')}
) AS t
LEFT JOIN linked_people(*) AS i ON t.visitor_id = i.visitor_id
GROUP BY named
