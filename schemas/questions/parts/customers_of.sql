-- All orders before the end of a span of customers whose first order was in it.
-- `net` is what is left of the revenue after refunds.
SELECT *
FROM
(
SELECT *, min(ordered_at) OVER (PARTITION BY person_id) AS first_at
FROM
(
    SELECT o.*, least(o.revenue, if(r.is_all, o.revenue, arraySum(
            part -> if(part.1 IN ('', o.currency) OR o.currency = '', part.2, 0), r.parts
        ))) AS refunded,
        o.revenue - refunded AS net
    FROM
    (
        SELECT t.order_id AS order_id, min(t.occurred_at) AS ordered_at,
            argMin(t.touchpoint_id, (t.occurred_at, t.turn, t.touchpoint_id)) AS touchpoint_id,
            argMin(if(i.person_id = '', t.visitor_id, i.person_id), (t.occurred_at, t.turn, t.touchpoint_id)) AS person_id,
            argMin(t.visitor_id, (t.occurred_at, t.turn, t.touchpoint_id)) AS visitor_id,
            argMin(t.channel, (t.occurred_at, t.turn, t.touchpoint_id)) AS channel,
            argMin(t.revenue, (t.occurred_at, t.turn, t.touchpoint_id)) AS revenue,
            argMin(t.currency, (t.occurred_at, t.turn, t.touchpoint_id)) AS currency
        FROM orders_told(*) AS t
        LEFT JOIN linked_buying(*) AS i ON t.visitor_id = i.visitor_id
        WHERE t.visitor_id IN (SELECT visitor_id FROM visitors_buying(*))
        GROUP BY order_id, t.own
    ) AS o
    LEFT JOIN refunds(*) AS r ON o.order_id = r.order_id
)
)
WHERE first_at >= {start:DateTime64(3, 'UTC')}
