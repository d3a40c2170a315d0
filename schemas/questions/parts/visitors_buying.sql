-- Visitors who ordered in a span, and all others that are the same people.
SELECT visitor_id FROM orders_in(*)
UNION DISTINCT
SELECT visitor_id FROM linked(*) WHERE person_id IN (SELECT person_id FROM orders_in(*))
