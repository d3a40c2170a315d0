-- The visits that may have led to each order of a span, in their order; docs/attribution.md.
-- Touches are visits in which the person did something, up to so many days before the order, and
-- always the visit of the order. Equal times are ordered by id. The visits of a person are gathered
-- before the join: with times compared after it, the plan grows with orders times visits.
SELECT
    c.order_id AS order_id,
    c.person_id AS person_id,
    c.converted_at AS converted_at,
    c.currency AS currency,
    toFloat64(c.revenue) AS order_revenue,
    toFloat64(c.net) AS order_net,
    arraySort(arrayFilter(
        t -> t.2 = c.session_id OR (t.7 AND t.1 <= c.converted_at
            AND t.1 >= c.converted_at - toIntervalDay({days:UInt16})),
        s.visits
    )) AS way
FROM conversions(*) AS c
INNER JOIN
(
    SELECT
        person_id,
        groupArray((started_at, session_id, traffic_source, traffic_medium, traffic_campaign,
            channel_group, is_touch)) AS visits
    FROM touches(*)
    GROUP BY person_id
) AS s ON c.person_id = s.person_id
