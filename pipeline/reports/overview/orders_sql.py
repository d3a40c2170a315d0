"""The statements about orders of `touchstream report`: what counts and what does not. PURE: text.

The rules are those of the questions `orders_in` and `refunds`, for one site or for all.
"""

from pipeline.reports.span import IN_SPAN

# ruff: noqa: S608 - all values are parameters of the server; only our own text is formatted in.

# Touchpoints that came too late, those of bots, and those in a visit of a bot do not count.
_TOLD = """
    SELECT o.*, multiIf(
        o.is_late, 'late', o.is_bot OR b.ended_at >= o.occurred_at, 'bot', ''
    ) AS why
    FROM
    (
        SELECT * FROM order_touchpoints FINAL WHERE {site:String} = '' OR site = {site:String}
    ) AS o
    ASOF LEFT JOIN (SELECT * FROM bot_sessions FINAL) AS b
        ON o.site = b.site AND o.visitor_id = b.visitor_id AND o.occurred_at >= b.started_at"""

# An order without an id counts as a separate order.
_EACH = f"""
    SELECT site, order_id, min(occurred_at) AS at, count() AS touchpoints,
        argMin(t.currency, (t.occurred_at, t.turn, t.touchpoint_id)) AS currency,
        argMin(t.revenue, (t.occurred_at, t.turn, t.touchpoint_id)) AS revenue,
        argMin(t.why, (t.occurred_at, t.turn, t.touchpoint_id)) AS why
    FROM ({_TOLD}) AS t
    WHERE t.order_event = 'completed'
    GROUP BY site, order_id, t.why != '',
        if(order_id = '', (t.visitor_id, t.touchpoint_id), ('', ''))"""

_COUNTED = f"SELECT * FROM ({_EACH}) WHERE why = ''"

# A refund counts once: by its property `refund_id`, else by its touchpoint.
_REFUNDS = f"""
    SELECT site, order_id, JSONExtractString(properties, 'refund_id') AS refund_id,
        min(t.occurred_at) AS at, max(t.order_event != 'partially_refunded') AS is_all,
        any(t.currency) AS currency, any(t.revenue) AS revenue, min(t.why) AS why
    FROM ({_TOLD}) AS t
    WHERE t.order_event NOT IN ('', 'completed')
    GROUP BY site, order_id, refund_id,
        if(refund_id = '', (t.visitor_id, t.touchpoint_id), ('', ''))"""

ORDERS = f"""
SELECT currency, count(), sum(revenue), sum(touchpoints), sum(refunded), sum(revenue - refunded)
FROM
(
    SELECT o.currency AS currency, o.revenue AS revenue, o.touchpoints AS touchpoints,
        least(o.revenue, if(r.is_all, o.revenue, arraySum(
            part -> if(part.1 IN ('', o.currency) OR o.currency = '', part.2, 0), r.parts
        ))) AS refunded
    FROM (SELECT * FROM ({_COUNTED}) WHERE {IN_SPAN.format(time="at")}) AS o
    LEFT JOIN
    (
        SELECT site, order_id, max(is_all) AS is_all, groupArray((currency, revenue)) AS parts
        FROM ({_REFUNDS})
        WHERE why = '' AND order_id != ''
        GROUP BY site, order_id
    ) AS r ON o.site = r.site AND o.order_id = r.order_id
)
GROUP BY currency
ORDER BY currency"""

LEFT_OUT = f"""
SELECT what, reason, count() AS times, currency, sum(revenue)
FROM
(
    SELECT 'order' AS what, why AS reason, currency, revenue
    FROM ({_EACH})
    WHERE why != '' AND {IN_SPAN.format(time="at")} AND (
        order_id = '' OR (site, order_id) NOT IN (SELECT site, order_id FROM ({_COUNTED})))
    UNION ALL
    SELECT 'refund', multiIf(
            r.why != '', r.why,
            r.order_id = '', 'names no order',
            o.order_id = '', 'unknown order',
            r.is_all OR r.currency IN ('', o.currency) OR o.currency = '', '', 'other currency'
        ), r.currency, r.revenue
    FROM (SELECT * FROM ({_REFUNDS}) WHERE {IN_SPAN.format(time="at")}) AS r
    LEFT JOIN (SELECT * FROM ({_COUNTED}) WHERE order_id != '') AS o
        ON r.site = o.site AND r.order_id = o.order_id
)
WHERE reason != ''
GROUP BY what, reason, currency
ORDER BY what, reason, currency"""
