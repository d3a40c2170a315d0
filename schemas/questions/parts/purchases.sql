-- Orders before the end of a span, each once, with the number it has among those of its person.
SELECT *, row_number() OVER earlier AS number,
    dateDiff('day', lagInFrame(toNullable(ordered_at)) OVER earlier, ordered_at) AS days_since_previous
FROM
(
    SELECT o.order_id AS order_id, min(o.occurred_at) AS ordered_at,
        argMin(o.touchpoint_id, (o.occurred_at, o.turn, o.touchpoint_id)) AS touchpoint_id,
        argMin(if(i.person_id = '', o.visitor_id, i.person_id), (o.occurred_at, o.turn, o.touchpoint_id)) AS person_id,
        argMin(o.visitor_id, (o.occurred_at, o.turn, o.touchpoint_id)) AS visitor_id,
        argMin(o.channel, (o.occurred_at, o.turn, o.touchpoint_id)) AS channel,
        argMin(o.revenue, (o.occurred_at, o.turn, o.touchpoint_id)) AS revenue,
        argMin(o.currency, (o.occurred_at, o.turn, o.touchpoint_id)) AS currency
    FROM orders_told(*) AS o
    LEFT JOIN linked(*) AS i ON o.visitor_id = i.visitor_id
    GROUP BY order_id, o.own
)
WINDOW earlier AS (
    PARTITION BY person_id ORDER BY ordered_at, order_id
    ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING
)
