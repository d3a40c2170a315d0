-- How often do customers order?
-- Of customers whose first order was in the span, by how many orders they have had before its end.
SELECT orders, count() AS people, toFloat64(sum(spent)) AS amount, currency,
    toFloat64(sum(left)) AS net, 100 * people / sum(people) OVER (PARTITION BY currency) AS share
FROM
(
    SELECT least(count(), 10) AS orders, sum(revenue) AS spent, sum(net) AS left, currency
    FROM customers_of(*)
    GROUP BY person_id, currency
)
GROUP BY orders, currency
ORDER BY currency, orders
