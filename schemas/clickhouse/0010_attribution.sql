-- Which touches led to an order; docs/attribution.md defines the models.

CREATE VIEW conversions
(
    site         LowCardinality(String) COMMENT 'Shop or brand',
    order_id     String COMMENT 'Number of the order; id of the touchpoint where it has none',
    person_id    String COMMENT 'Who ordered, by all links known now',
    session_id   String COMMENT 'The session it was ordered in',
    converted_at DateTime64(3, 'UTC') COMMENT 'occurred_at of the first touchpoint of the order',
    revenue      Decimal(18, 2) COMMENT 'Of that touchpoint',
    currency     LowCardinality(String) COMMENT 'Of revenue'
)
AS
SELECT
    t.site AS site,
    if(t.order_id = '', t.touchpoint_id, t.order_id) AS order_id,
    argMin(t.person_id, (t.occurred_at, t.touchpoint_id)) AS person_id,
    argMin(t.session_id, (t.occurred_at, t.touchpoint_id)) AS session_id,
    min(t.occurred_at) AS converted_at,
    argMin(t.revenue, (t.occurred_at, t.touchpoint_id)) AS revenue,
    argMin(t.currency, (t.occurred_at, t.touchpoint_id)) AS currency
FROM person_touchpoints AS t
WHERE t.name = 'Order Completed'
GROUP BY site, order_id
COMMENT 'Orders, each once, however often it was reported';

-- Touches are sessions in which the person did something, and always the session of the order, so
-- that no order is without one. Equal times are ordered by id.
CREATE VIEW attribution AS
SELECT
    site, order_id, person_id, converted_at, currency,
    session_id, started_at, traffic_source, traffic_medium, traffic_campaign, channel_group,
    position, touches,
    weight.1 AS model,
    weight.2 / sum(weight.2) OVER (PARTITION BY site, order_id, model) AS credit,
    credit * toFloat64(order_revenue) AS revenue
FROM
(
    SELECT *, maxIf(position, is_click) OVER (PARTITION BY site, order_id) AS last_click
    FROM
    (
        SELECT
            c.site AS site,
            c.order_id AS order_id,
            c.person_id AS person_id,
            c.converted_at AS converted_at,
            c.revenue AS order_revenue,
            c.currency AS currency,
            s.session_id AS session_id,
            s.started_at AS started_at,
            s.traffic_source AS traffic_source,
            s.traffic_medium AS traffic_medium,
            s.traffic_campaign AS traffic_campaign,
            s.channel_group AS channel_group,
            s.traffic_medium NOT IN ('', '(none)', 'offline') AS is_click,
            dateDiff('millisecond', s.started_at, c.converted_at) / 86400000 AS age_days,
            row_number() OVER (
                PARTITION BY c.site, c.order_id ORDER BY s.started_at, s.session_id
            ) AS position,
            count() OVER (PARTITION BY c.site, c.order_id) AS touches
        FROM conversions AS c
        INNER JOIN session_sources AS s ON c.site = s.site AND c.person_id = s.person_id
        WHERE s.session_id = c.session_id
            OR (s.is_touch AND NOT s.is_bot AND s.started_at <= c.converted_at
                AND s.started_at >= c.converted_at - toIntervalDay({days:UInt16}))
    )
)
ARRAY JOIN
[
    ('first', toFloat64(position = 1)),
    ('last', toFloat64(position = touches)),
    ('last_non_direct', toFloat64(position = if(last_click = 0, touches, last_click))),
    ('linear', 1.),
    ('position_based', multiIf(touches <= 2, 1., position IN (1, touches), 0.4, 0.2 / (touches - 2))),
    ('time_decay', exp2(-age_days / 7))
] AS weight
COMMENT 'The share that each touch has in an order, by six models: attribution(days = 30)';
