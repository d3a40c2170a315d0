-- What tells of orders of a span, in it or before; the first of them is when it was ordered.
-- Read from those days alone, and without what bots do and what came too late.
SELECT *
FROM orders_told(*)
WHERE toDate(occurred_at) IN (SELECT day FROM days_of_orders(*))
    AND (occurred_at >= {start:DateTime64(3, 'UTC')} OR order_id IN (SELECT order_id FROM order_ids_in(*)))
