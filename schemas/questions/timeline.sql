-- What did this person do, on all channels, newest first?
-- `person` is a person_id, or a visitor that stands for itself. `phase` is the phase of the model
-- that the touchpoint led into; empty: it led nowhere new. Late ones belong to no session.
SELECT t.occurred_at AS at, t.turn AS turn, t.channel AS channel, t.name AS name, t.path AS path,
    t.visitor_id AS visitor_id, t.touchpoint_id AS touchpoint_id, t.device AS device,
    t.order_id AS order_id, toFloat64(t.revenue) AS revenue, t.currency AS currency,
    if(t.is_late, '', s.session_id) AS session_id, t.is_late AS is_late,
    m.to_phase AS phase, m.cycle AS cycle, m.rule AS rule
FROM
(
    SELECT *
    FROM touchpoints FINAL
    PREWHERE (toDate(occurred_at), visitor_id) IN (SELECT day, visitor_id FROM days_of(*))
    WHERE site = {site:String}
    ORDER BY occurred_at DESC, turn DESC, touchpoint_id DESC
    LIMIT {most:UInt32}
) AS t
ASOF LEFT JOIN
(
    SELECT visitor_id, session_id, started_at
    FROM sessions FINAL
    PREWHERE (toDate(started_at), visitor_id) IN (SELECT day, visitor_id FROM days_of(*))
    WHERE site = {site:String}
) AS s ON t.visitor_id = s.visitor_id AND t.occurred_at >= s.started_at
LEFT JOIN
(
    SELECT visitor_id, touchpoint_id, to_phase, cycle, rule
    FROM transitions FINAL
    PREWHERE (toDate(at), visitor_id) IN (SELECT day, visitor_id FROM days_of(*))
    WHERE site = {site:String} AND model = {model:String}
) AS m ON t.visitor_id = m.visitor_id AND t.touchpoint_id = m.touchpoint_id
ORDER BY at DESC, turn DESC, touchpoint_id DESC
