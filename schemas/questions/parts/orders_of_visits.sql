-- What was ordered in each visit that reaches into a span: an order counts where it was told first.
-- Amounts of two currencies are not added.
SELECT s.session_id AS session_id, count() AS orders,
    if(uniqExact(o.currency) > 1, 'mixed', any(o.currency)) AS currency,
    if(uniqExact(o.currency) > 1, 0, sum(o.revenue)) AS revenue
FROM
(
    SELECT t.order_id AS order_id, min(t.occurred_at) AS ordered_at,
        argMin(t.visitor_id, (t.occurred_at, t.turn, t.touchpoint_id)) AS visitor_id,
        argMin(t.revenue, (t.occurred_at, t.turn, t.touchpoint_id)) AS revenue,
        argMin(t.currency, (t.occurred_at, t.turn, t.touchpoint_id)) AS currency
    FROM orders_told(*) AS t
    WHERE t.occurred_at >= {start:DateTime64(3, 'UTC')} OR t.order_id IN (SELECT order_id FROM order_ids_in(*))
    GROUP BY order_id, t.own
    HAVING ordered_at >= {start:DateTime64(3, 'UTC')}
) AS o
ASOF INNER JOIN sessions_around(*) AS s ON o.visitor_id = s.visitor_id AND o.ordered_at >= s.started_at
GROUP BY session_id
