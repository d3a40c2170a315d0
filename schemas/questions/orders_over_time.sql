-- When do orders come, and how much money with them?
-- `net` is what is left of the amount of these orders after refunds.
SELECT toStartOfInterval(ordered_at, toIntervalSecond({step:UInt32})) AS time, currency,
    count() AS orders, toFloat64(sum(revenue)) AS amount, toFloat64(sum(o.net)) AS net
FROM orders_in(*) AS o
GROUP BY time, currency
ORDER BY time, currency
