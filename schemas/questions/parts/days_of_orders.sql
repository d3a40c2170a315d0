-- The days on which something tells of an order that a touchpoint of a span tells of too.
SELECT DISTINCT toDate(occurred_at) AS day
FROM order_touchpoints
WHERE site = {site:String} AND occurred_at < {end:DateTime64(3, 'UTC')}
    AND (occurred_at >= {start:DateTime64(3, 'UTC')} OR order_id IN (SELECT order_id FROM order_ids_in(*)))
