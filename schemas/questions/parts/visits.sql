-- Visits of people that began in a span, with what was ordered in each.
-- An order that two visitors have told counts in the visit that told it first, so sums over visits are
-- those of `conversions`, in each currency.
SELECT s.*, o.orders AS orders, o.revenue AS revenue, o.net AS net, o.currency AS currency
FROM visits_begun(*) AS s
LEFT JOIN orders_of_visits(*, end = {end:DateTime64(3, 'UTC')} + INTERVAL 1 DAY) AS o ON s.session_id = o.session_id
