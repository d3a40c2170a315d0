-- Visitors with a direct visit in a span, and all others that are the same people.
SELECT visitor_id FROM visits_begun(*) WHERE channel_group = 'Direct'
UNION DISTINCT
SELECT visitor_id FROM linked_around(*)
WHERE person_id IN (SELECT person_id FROM visits_begun(*) WHERE channel_group = 'Direct')
