-- Which touchpoints did the visitors of a person have, with what they said?
-- The newest, in order of time. Late ones belong to no session.
SELECT * EXCEPT (turn)
FROM
(
    SELECT t.occurred_at AS occurred_at, t.turn AS turn, t.touchpoint_id AS touchpoint_id, t.name AS name,
        t.channel AS channel, t.path AS path, t.revenue AS revenue, t.currency AS currency,
        substring(t.properties, 1, {longest:UInt32}) AS properties, t.is_late AS is_late,
        if(t.is_late, '', s.session_id) AS session_id, t.visitor_id AS visitor_id
    FROM
    (
        SELECT * FROM touchpoints FINAL
        PREWHERE (toDate(occurred_at), visitor_id) IN (SELECT day, visitor_id FROM days_of_visitors(*))
        WHERE site = {site:String}
    ) AS t
    ASOF LEFT JOIN visits_of_visitors(*) AS s
        ON t.visitor_id = s.visitor_id AND t.occurred_at >= s.started_at
    ORDER BY occurred_at DESC, turn DESC, touchpoint_id DESC
    LIMIT {most:UInt32}
)
ORDER BY occurred_at, turn, touchpoint_id
