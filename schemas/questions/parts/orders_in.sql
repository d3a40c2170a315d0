-- Orders in a span, each once, with its first touchpoint; one without a number is one of its own.
-- `revenue` is what was ordered, `refunded` what of it went back since, `net` what is left. Of a
-- refund in another currency nothing is taken off.
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
    FROM orders_told_in(*) AS t
    LEFT JOIN linked_ordering(*) AS i ON t.visitor_id = i.visitor_id
    GROUP BY order_id, t.own
    HAVING ordered_at >= {start:DateTime64(3, 'UTC')}
        AND ({channel:String} = '' OR channel = {channel:String})
        AND ({segment:String} = '' OR visitor_id IN (SELECT visitor_id FROM visitors_of_segment(*)))
) AS o
LEFT JOIN refunds(*) AS r ON o.order_id = r.order_id
