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
    argMin(t.person_id, (t.occurred_at, t.turn, t.touchpoint_id)) AS person_id,
    argMin(t.session_id, (t.occurred_at, t.turn, t.touchpoint_id)) AS session_id,
    min(t.occurred_at) AS converted_at,
    argMin(t.revenue, (t.occurred_at, t.turn, t.touchpoint_id)) AS revenue,
    argMin(t.currency, (t.occurred_at, t.turn, t.touchpoint_id)) AS currency
FROM person_touchpoints AS t
WHERE t.name = 'Order Completed'
GROUP BY site, order_id
COMMENT 'Orders, each once, however often it was reported';

-- Touches are sessions in which the person did something, and always the session of the order, so
-- that no order is without one. Equal times are ordered by id.
-- The visits of a person are gathered before the join: with times compared after it, the plan of
-- ClickHouse 26.9 grows with orders times sessions.
CREATE VIEW attribution AS
SELECT
    site, order_id, person_id, converted_at, currency,
    touch.2 AS session_id,
    touch.1 AS started_at,
    touch.3 AS traffic_source,
    touch.4 AS traffic_medium,
    touch.5 AS traffic_campaign,
    touch.6 AS channel_group,
    position,
    touches,
    weight.1 AS model,
    weight.2 AS credit,
    credit * order_revenue AS revenue
FROM
(
    SELECT
        c.site AS site,
        c.order_id AS order_id,
        c.person_id AS person_id,
        c.converted_at AS converted_at,
        c.currency AS currency,
        toFloat64(c.revenue) AS order_revenue,
        arraySort(arrayFilter(
            t -> t.2 = c.session_id OR (t.7 AND t.1 <= c.converted_at
                AND t.1 >= c.converted_at - toIntervalDay({days:UInt16})),
            s.visits
        )) AS way,
        length(way) AS touches,
        arrayLastIndex(t -> t.4 NOT IN ('', '(none)', 'offline'), way) AS last_click,
        arrayMap(t -> exp2(dateDiff('millisecond', c.converted_at, t.1) / 86400000 / 7), way) AS decays,
        arraySum(decays) AS decay_sum
    FROM conversions AS c
    INNER JOIN
    (
        SELECT
            site,
            person_id,
            groupArray((started_at, session_id, traffic_source, traffic_medium, traffic_campaign,
                channel_group, is_touch AND NOT is_bot)) AS visits
        FROM session_sources
        GROUP BY site, person_id
    ) AS s ON c.site = s.site AND c.person_id = s.person_id
)
ARRAY JOIN way AS touch, decays AS decay, arrayEnumerate(way) AS position
ARRAY JOIN
[
    ('first', toFloat64(position = 1)),
    ('last', toFloat64(position = touches)),
    ('last_non_direct', toFloat64(position = if(last_click = 0, touches, last_click))),
    ('linear', 1 / touches),
    ('position_based',
        multiIf(touches <= 2, 1 / touches, position = 1 OR position = touches, 0.4,
            0.2 / (touches - 2))),
    ('time_decay', decay / decay_sum)
] AS weight
COMMENT 'The share that each touch has in an order, by six models: attribution(days = 30)';
