-- Orders in a span, each with the visit it was made in; one without a number has its touchpoint's.
SELECT if(o.order_id = '', o.touchpoint_id, o.order_id) AS order_id, o.person_id AS person_id,
    s.session_id AS session_id, o.ordered_at AS converted_at, o.revenue AS revenue,
    o.refunded AS refunded, o.net AS net, o.currency AS currency
FROM orders_in(*) AS o
ASOF LEFT JOIN sessions_around(*) AS s ON o.visitor_id = s.visitor_id AND o.ordered_at >= s.started_at
