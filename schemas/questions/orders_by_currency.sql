-- How many orders, and how much money, compared with the span before?
-- Of the `amount` that was ordered, `refunded` went back until now, and `net` is left.
WITH {start:DateTime64(3, 'UTC')} AS begin
SELECT currency, countIf(ordered_at >= begin) AS orders,
    toFloat64(sumIf(revenue, ordered_at >= begin)) AS amount,
    toFloat64(sumIf(o.refunded, ordered_at >= begin)) AS refunded,
    toFloat64(sumIf(o.net, ordered_at >= begin)) AS net,
    uniqExactIf(person_id, ordered_at >= begin) AS people,
    countIf(ordered_at < begin) AS orders_before,
    toFloat64(sumIf(revenue, ordered_at < begin)) AS amount_before,
    toFloat64(sumIf(o.net, ordered_at < begin)) AS net_before
FROM orders_in(*, start = subtractMilliseconds({start:DateTime64(3, 'UTC')}, dateDiff('millisecond', {start:DateTime64(3, 'UTC')}, {end:DateTime64(3, 'UTC')}))) AS o
GROUP BY currency
ORDER BY orders DESC, currency
