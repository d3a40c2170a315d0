-- Numbers of the orders that a touchpoint of a span tells of.
SELECT order_id
FROM order_touchpoints
WHERE site = {site:String} AND order_id != ''
    AND occurred_at >= {start:DateTime64(3, 'UTC')} AND occurred_at < {end:DateTime64(3, 'UTC')}
