-- What each person did with each mailing of a span, from the mail to the order.
-- Carts and orders are those within a week after the first click. Carts are counted, orders are those
-- of `orders_in`.
SELECT m.campaign AS campaign, m.person_id AS person_id, m.title AS title, m.sent AS sent,
    m.delivered AS delivered, m.opened AS opened, m.machines AS machines, m.clicked AS clicked,
    m.bounced AS bounced, m.has_left AS has_left, m.clicked_at AS clicked_at, m.last_at AS last_at,
    a.carts AS carts, a.orders AS orders, a.amount AS amount, a.net AS net, a.currency AS currency,
    a.ordered_at AS ordered_at
FROM
(
    SELECT campaign_id AS campaign, person_id, max(occurred_at) AS last_at,
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
    SELECT c.campaign AS campaign, c.person_id AS person_id, countIf(NOT t.is_order) AS carts,
        countIf(t.is_order) AS orders, sum(t.revenue) AS amount, sum(t.net) AS net,
        if(uniqExactIf(t.currency, t.is_order) > 1, 'mixed', anyIf(t.currency, t.is_order)) AS currency,
        minIf(t.at, t.is_order) AS ordered_at
    FROM
    (
        SELECT campaign_id AS campaign, person_id, min(occurred_at) AS clicked_at
        FROM people_touchpoints(*)
        WHERE campaign_id != '' AND name = 'Email Link Clicked'
        GROUP BY campaign, person_id
    ) AS c
    INNER JOIN
    (
        SELECT person_id, false AS is_order, occurred_at AS at, toDecimal128(0, 8) AS revenue,
            toDecimal128(0, 8) AS net, '' AS currency
        FROM people_touchpoints(*, channel = '')
        WHERE name = 'Product Added'
        UNION ALL
        SELECT o.person_id, true, o.ordered_at, o.revenue, o.net, toString(o.currency)
        FROM orders_in(*, channel = '', segment = '') AS o
    ) AS t ON t.person_id = c.person_id
    WHERE t.at >= c.clicked_at AND t.at < c.clicked_at + INTERVAL 7 DAY
    GROUP BY campaign, person_id
) AS a ON a.campaign = m.campaign AND a.person_id = m.person_id
