-- Orders of some people until now, each once, with its first touchpoint.
SELECT t.order_id AS order_id, min(t.occurred_at) AS ordered_at,
    argMin(if(i.person_id = '', t.visitor_id, i.person_id), (t.occurred_at, t.turn, t.touchpoint_id)) AS person_id,
    argMin(t.visitor_id, (t.occurred_at, t.turn, t.touchpoint_id)) AS visitor_id,
    argMin(t.revenue, (t.occurred_at, t.turn, t.touchpoint_id)) AS revenue,
    argMin(t.currency, (t.occurred_at, t.turn, t.touchpoint_id)) AS currency
FROM orders_told(*, end = now64(3) + INTERVAL 1 DAY) AS t
LEFT JOIN linked(*) AS i ON t.visitor_id = i.visitor_id
WHERE t.visitor_id IN (SELECT visitor_id FROM visitors_of_people(*)) OR t.order_id IN
(
    SELECT order_id
    FROM order_touchpoints
    WHERE site = {site:String} AND order_id != ''
        AND visitor_id IN (SELECT visitor_id FROM visitors_of_people(*))
)
GROUP BY order_id, t.own
