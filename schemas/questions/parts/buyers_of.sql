-- People who ordered before the end of a span.
SELECT DISTINCT if(i.person_id = '', o.visitor_id, i.person_id) AS person_id
FROM
(
    SELECT visitor_id
    FROM order_touchpoints
    WHERE site = {site:String} AND name = 'Order Completed' AND NOT is_bot
        AND occurred_at < {end:DateTime64(3, 'UTC')}
) AS o
LEFT JOIN linked(*) AS i ON o.visitor_id = i.visitor_id
