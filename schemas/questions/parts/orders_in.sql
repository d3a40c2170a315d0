-- Orders in a span, each once, with its first touchpoint; one without a number is one of its own.
SELECT t.order_id AS order_id,
    min(t.occurred_at) AS ordered_at,
    argMin(t.person_id, (t.occurred_at, t.touchpoint_id)) AS person_id,
    argMin(t.visitor_id, (t.occurred_at, t.touchpoint_id)) AS visitor_id,
    argMin(t.channel, (t.occurred_at, t.touchpoint_id)) AS channel,
    argMin(t.revenue, (t.occurred_at, t.touchpoint_id)) AS revenue,
    argMin(t.currency, (t.occurred_at, t.touchpoint_id)) AS currency
FROM people_touchpoints(*) AS t
WHERE t.name = 'Order Completed'
GROUP BY order_id, if(order_id = '', t.touchpoint_id, '')
