-- Visitors who ordered in a span, and all others that are the same people.
SELECT DISTINCT arrayJoin([o.visitor_id, i.visitor_id]) AS visitor_id, cityHash64(visitor_id) AS visitor_key
FROM orders_in(*) AS o
LEFT JOIN linked_buying(*) AS i ON o.person_id = i.person_id
