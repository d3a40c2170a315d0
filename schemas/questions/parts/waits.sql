-- How long people waited in a span: as measured, or from the order to its arrival.
SELECT person_id, channel, name, occurred_at AS at, toFloat64(waited) AS seconds
FROM people_touchpoints(*)
WHERE waited > 0
UNION ALL
SELECT t.person_id, t.channel, t.name, t.occurred_at,
    toFloat64(greatest(0, dateDiff('second', o.ordered_at, t.occurred_at)))
FROM
(
    SELECT *, JSONExtractString(properties, 'order_id') AS order_arriving
    FROM people_touchpoints(*)
    WHERE name IN ('Order Delivered', 'Order Picked Up')
) AS t
INNER JOIN
(
    SELECT order_id, min(occurred_at) AS ordered_at
    FROM order_touchpoints FINAL
    WHERE site = {site:String} AND order_event = 'completed' AND order_id != ''
    GROUP BY order_id
) AS o ON o.order_id = t.order_arriving
