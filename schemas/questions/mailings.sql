-- What became of each mailing, from the mail to the order?
-- Counted in people. `opened` leaves out what machines opened (`opened_by_machines`). Of those who
-- clicked, `carts` and `orders` are people who added to the cart or ordered after their first click,
-- within a week; `amount` is what they then ordered, `net` what is left of it after refunds, and
-- `hours_to_order` the median time to it. Both are null where people paid in several currencies.
SELECT campaign, any(p.title) AS title, countIf(p.sent) AS sent,
    countIf(p.delivered) AS delivered, countIf(p.opened) AS opened,
    countIf(machines) AS opened_by_machines, countIf(p.clicked) AS clicked,
    countIf(has_left) AS unsubscribed, countIf(p.bounced) AS bounced,
    countIf(p.carts > 0) AS carts, countIf(p.orders > 0) AS orders,
    if(uniqExactIf(p.currency, p.orders > 0) > 1 OR max(p.currency = 'mixed'), 'mixed', anyIf(p.currency, p.currency != '')) AS currency,
    if(currency = 'mixed', NULL, toFloat64(sum(p.amount))) AS amount,
    if(currency = 'mixed', NULL, toFloat64(sum(p.net))) AS net,
    medianExactOrNullIf(dateDiff('minute', clicked_at, ordered_at) / 60, p.orders > 0) AS hours_to_order
FROM mailed_people(*) AS p
GROUP BY campaign
ORDER BY delivered DESC, clicked DESC, campaign
LIMIT {most:UInt32}
