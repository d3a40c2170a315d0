-- Who are these people, and what did they do until now?
-- `person_id` is their pseudonym; `named` is what the parts of questions call them.
SELECT if(i.person_id = '', s.visitor_id, i.person_id) AS named,
    any(if(i.person_id = '', s.person_id, i.person_id)) AS person_id, max(s.ended_at) AS last_at,
    count() AS sessions, sum(s.touchpoints) AS touchpoints,
    groupUniqArray(toString(s.channel)) AS channels, sum(s.orders) AS orders,
    if(uniqExactIf(s.currency, s.orders > 0) > 1, 0, toFloat64(sum(s.revenue))) AS revenue,
    if(uniqExactIf(s.currency, s.orders > 0) > 1, 'mixed', anyIf(toString(s.currency), s.orders > 0)) AS currency
FROM
(
    SELECT * FROM sessions FINAL
    WHERE site = {site:String} AND visitor_id IN (SELECT visitor_id FROM visitors_of_people(*))
        AND toDate(started_at) IN (SELECT day FROM days_of_people(*))
) AS s
LEFT JOIN linked(*) AS i ON s.visitor_id = i.visitor_id
GROUP BY named
