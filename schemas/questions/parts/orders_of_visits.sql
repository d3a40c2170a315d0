-- What was ordered in each visit that reaches into a span: an order counts where it was told first.
-- Amounts of two currencies are not added.
SELECT s.session_id AS session_id, count() AS orders,
    if(uniqExact(o.currency) > 1, 'mixed', any(o.currency)) AS currency,
    if(uniqExact(o.currency) > 1, 0, sum(o.revenue)) AS revenue,
    if(uniqExact(o.currency) > 1, 0, sum(o.net)) AS net
FROM orders_in(*, channel = '', segment = '') AS o
ASOF INNER JOIN sessions_around(*) AS s ON o.visitor_id = s.visitor_id AND o.ordered_at >= s.started_at
GROUP BY session_id
