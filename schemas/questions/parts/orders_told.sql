-- What tells of orders before the end of a span, but for what bots do and what came too late.
-- A visit is a bot's if one of its touchpoints is. `own` tells orders without a number apart: each
-- touchpoint of a visitor is one.
SELECT o.*, if(o.order_id = '', (o.visitor_id, o.touchpoint_id), ('', '')) AS own
FROM
(
    SELECT *
    FROM order_touchpoints FINAL
    WHERE site = {site:String} AND order_event = 'completed' AND NOT is_bot AND NOT is_late
        AND occurred_at < {end:DateTime64(3, 'UTC')}
) AS o
ASOF LEFT JOIN
(
    SELECT visitor_id, started_at, ended_at
    FROM bot_sessions FINAL
    WHERE site = {site:String} AND started_at < {end:DateTime64(3, 'UTC')}
) AS b ON o.visitor_id = b.visitor_id AND o.occurred_at >= b.started_at
WHERE b.ended_at < o.occurred_at
