-- Orders in a span, each once, with its first touchpoint; one without a number is one of its own.
SELECT o.order_id AS order_id, min(o.occurred_at) AS ordered_at,
    argMin(o.touchpoint_id, (o.occurred_at, o.turn, o.touchpoint_id)) AS touchpoint_id,
    argMin(if(i.person_id = '', o.visitor_id, i.person_id), (o.occurred_at, o.turn, o.touchpoint_id)) AS person_id,
    argMin(o.visitor_id, (o.occurred_at, o.turn, o.touchpoint_id)) AS visitor_id,
    argMin(o.channel, (o.occurred_at, o.turn, o.touchpoint_id)) AS channel,
    argMin(o.revenue, (o.occurred_at, o.turn, o.touchpoint_id)) AS revenue,
    argMin(o.currency, (o.occurred_at, o.turn, o.touchpoint_id)) AS currency
FROM
(
    SELECT *
    FROM order_touchpoints FINAL
    WHERE site = {site:String} AND name = 'Order Completed' AND NOT is_bot AND NOT is_late
        AND occurred_at < {end:DateTime64(3, 'UTC')}
        AND (occurred_at >= {start:DateTime64(3, 'UTC')} OR order_id IN (SELECT order_id FROM order_ids_in(*)))
) AS o
LEFT JOIN linked(*) AS i ON o.visitor_id = i.visitor_id
GROUP BY order_id, if(order_id = '', o.touchpoint_id, '')
HAVING ordered_at >= {start:DateTime64(3, 'UTC')}
    AND ({channel:String} = '' OR channel = {channel:String})
    AND ({segment:String} = '' OR visitor_id IN (SELECT visitor_id FROM visitors_of_segment(*)))
