-- Who are these people, and what did they do until now?
-- `person_id` is their pseudonym; `named` is what the parts of questions call them. An order that
-- several visitors tell counts once.
SELECT if(i.person_id = '', s.visitor_id, i.person_id) AS named,
    any(if(i.person_id = '', s.person_id, i.person_id)) AS person_id, max(s.ended_at) AS last_at,
    count() AS sessions, sum(s.touchpoints) AS touchpoints,
    groupUniqArray(toString(s.channel)) AS channels, any(o.orders) AS orders, any(o.revenue) AS revenue,
    any(o.currency) AS currency
FROM
(
    SELECT * FROM sessions FINAL
    PREWHERE (toDate(started_at), visitor_id) IN (SELECT day, visitor_id FROM days_of_people(*))
    WHERE site = {site:String}
) AS s
LEFT JOIN linked_people(*) AS i ON s.visitor_id = i.visitor_id
LEFT JOIN
(
    SELECT t.person_id AS person_id, count() AS orders,
        if(uniqExact(t.currency) > 1, 0, toFloat64(sum(t.revenue))) AS revenue,
        if(uniqExact(t.currency) > 1, 'mixed', any(toString(t.currency))) AS currency
    FROM orders_of_people(*) AS t
    GROUP BY person_id
) AS o ON if(i.person_id = '', s.visitor_id, i.person_id) = o.person_id
GROUP BY named
