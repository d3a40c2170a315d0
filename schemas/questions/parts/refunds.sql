-- What went back of each order from the start of a span on, until now: all of it, or parts.
-- A refund counts once: by the property `refund_id`, else by its touchpoint.
SELECT order_id, max(is_all) AS is_all, groupArray((currency, revenue)) AS parts
FROM
(
    SELECT t.order_id AS order_id, JSONExtractString(t.properties, 'refund_id') AS refund_id,
        max(t.order_event != 'partially_refunded') AS is_all, any(t.currency) AS currency,
        any(t.revenue) AS revenue
    FROM order_touchpoints AS t FINAL
    WHERE site = {site:String} AND order_event NOT IN ('', 'completed') AND order_id != ''
        AND NOT is_bot AND NOT is_late AND occurred_at >= {start:DateTime64(3, 'UTC')}
    GROUP BY order_id, refund_id, if(refund_id = '', (t.visitor_id, t.touchpoint_id), ('', ''))
)
GROUP BY order_id
