-- What became of each mailing, from the mail to the order?
-- Counted in people. `opened` leaves out what machines opened (`opened_by_machines`). Of those who
-- clicked, `carts` and `orders` are people who added to the cart or ordered after their first click,
-- within a week; `amount` is what they then ordered, and `hours_to_order` the median time to it.
SELECT m.campaign AS campaign, any(m.title) AS title, countIf(m.sent) AS sent,
    countIf(m.delivered) AS delivered, countIf(m.opened) AS opened,
    countIf(m.machines) AS opened_by_machines, countIf(m.clicked) AS clicked,
    countIf(m.has_left) AS unsubscribed, countIf(m.bounced) AS bounced,
    countIf(a.carts > 0) AS carts, countIf(a.orders > 0) AS orders,
    toFloat64(sum(a.amount)) AS amount, anyIf(a.currency, a.currency != '') AS currency,
    medianExactOrNullIf(dateDiff('minute', m.clicked_at, a.ordered_at) / 60, a.orders > 0) AS hours_to_order
FROM
(
    SELECT campaign_id AS campaign, person_id,
        anyIf(JSONExtractString(properties, 'campaign_name'), JSONHas(properties, 'campaign_name')) AS title,
        max(name = 'Email Sent') AS sent, max(name = 'Email Delivered') AS delivered,
        max(name = 'Email Opened' AND NOT JSONExtractBool(properties, 'is_machine_open')) AS opened,
        max(name = 'Email Opened' AND JSONExtractBool(properties, 'is_machine_open')) AS machines,
        max(name = 'Email Link Clicked') AS clicked, max(name = 'Email Bounced') AS bounced,
        max(name IN ('Unsubscribed', 'Newsletter Unsubscribed')) AS has_left,
        minIf(occurred_at, name = 'Email Link Clicked') AS clicked_at
    FROM people_touchpoints(*)
    WHERE campaign_id != '' AND channel IN ('newsletter', 'email')
    GROUP BY campaign, person_id
) AS m
LEFT JOIN
(
    SELECT c.campaign AS campaign, c.person_id AS person_id, countIf(t.name = 'Product Added') AS carts,
        uniqExactIf(t.order_id, t.order_event = 'completed') AS orders,
        sumIf(t.revenue, t.order_event = 'completed') AS amount,
        anyIf(t.currency, t.order_event = 'completed') AS currency,
        minIf(t.occurred_at, t.order_event = 'completed') AS ordered_at
    FROM
    (
        SELECT campaign_id AS campaign, person_id, min(occurred_at) AS clicked_at
        FROM people_touchpoints(*)
        WHERE campaign_id != '' AND name = 'Email Link Clicked'
        GROUP BY campaign, person_id
    ) AS c
    INNER JOIN
    (
        SELECT person_id, name, order_event, order_id, revenue, currency, occurred_at
        FROM people_touchpoints(*, channel = '')
        WHERE name = 'Product Added' OR order_event = 'completed'
    ) AS t ON t.person_id = c.person_id
    WHERE t.occurred_at >= c.clicked_at AND t.occurred_at < c.clicked_at + INTERVAL 7 DAY
    GROUP BY campaign, person_id
) AS a ON a.campaign = m.campaign AND a.person_id = m.person_id
GROUP BY campaign
ORDER BY delivered DESC, clicked DESC, campaign
LIMIT {most:UInt32}
