-- How many orders, and how much money, compared with the span before?
WITH {start:DateTime64(3, 'UTC')} AS begin
SELECT currency, countIf(ordered_at >= begin) AS orders,
    toFloat64(sumIf(revenue, ordered_at >= begin)) AS amount,
    uniqExactIf(person_id, ordered_at >= begin) AS people,
    countIf(ordered_at < begin) AS orders_before,
    toFloat64(sumIf(revenue, ordered_at < begin)) AS amount_before
FROM orders_in(*, start = subtractMilliseconds({start:DateTime64(3, 'UTC')}, dateDiff('millisecond', {start:DateTime64(3, 'UTC')}, {end:DateTime64(3, 'UTC')})))
GROUP BY currency
ORDER BY orders DESC, currency
