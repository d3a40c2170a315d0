-- Linked visitors who tell of an order in a span, each with the person it belongs to now.
SELECT visitor_id, person_id
FROM identities FINAL
PREWHERE visitor_id IN
(
    SELECT visitor_id
    FROM order_touchpoints
    WHERE site = {site:String}
        AND occurred_at >= {start:DateTime64(3, 'UTC')} AND occurred_at < {end:DateTime64(3, 'UTC')}
)
WHERE site = {site:String}
