-- When do orders come, and how much money with them?
SELECT toStartOfInterval(ordered_at, toIntervalSecond({step:UInt32})) AS time, currency,
    count() AS orders, toFloat64(sum(revenue)) AS amount
FROM orders_in(*)
GROUP BY time, currency
ORDER BY time, currency
