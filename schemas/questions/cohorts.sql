-- Do people come back, and how long after their first order do they order again?
-- A cohort are the people whose first order was in one month. `month` 0 is that month; `people` of
-- them ordered in the `month`-th month after it, `share` in % of the cohort. Months are those of UTC.
SELECT cohort, month, people, 100 * people / max(people) OVER (PARTITION BY cohort) AS share,
    amount, net, currency
FROM
(
    SELECT toStartOfMonth(first_at) AS cohort, dateDiff('month', cohort, toStartOfMonth(ordered_at)) AS month,
        uniqExact(person_id) AS people, toFloat64(sum(revenue)) AS amount, toFloat64(sum(o.net)) AS net, currency
    FROM customers_of(*) AS o
    GROUP BY cohort, month, currency
)
ORDER BY cohort, month, currency
