-- The share that each touch has in an order of a span, by six models; docs/attribution.md.
SELECT
    order_id, person_id, converted_at, currency,
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
    credit * order_revenue AS revenue,
    credit * order_net AS net
FROM
(
    SELECT *,
        length(way) AS touches,
        arrayLastIndex(t -> t.4 NOT IN ('', '(none)', 'offline'), way) AS last_click,
        arrayMap(t -> exp2(dateDiff('millisecond', converted_at, t.1) / 86400000 / 7), way) AS decays,
        arraySum(decays) AS decay_sum
    FROM ways_to_orders(*)
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
