-- Which visits did the visitors of a person make, and what was ordered in each?
SELECT s.session_id AS session_id, s.visitor_id AS visitor_id, s.started_at AS started_at,
    s.ended_at AS ended_at, s.touchpoints AS touchpoints, s.channel AS channel,
    s.channel_group AS channel_group, s.device AS device, s.entry_path AS entry_path,
    s.exit_path AS exit_path, o.orders AS orders, o.revenue AS revenue, o.currency AS currency
FROM visits_of_visitors(*) AS s
LEFT JOIN
(
    SELECT v.session_id AS session_id, count() AS orders,
        if(uniqExact(t.currency) > 1, 0, sum(t.revenue)) AS revenue,
        if(uniqExact(t.currency) > 1, 'mixed', any(toString(t.currency))) AS currency
    FROM orders_of_people(*, people = {visitors:Array(String)}) AS t
    ASOF INNER JOIN visits_of_visitors(*) AS v
        ON t.visitor_id = v.visitor_id AND t.ordered_at >= v.started_at
    GROUP BY session_id
) AS o ON s.session_id = o.session_id
ORDER BY started_at, session_id
LIMIT {most:UInt32}
