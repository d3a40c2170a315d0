-- Visitors whose time in a phase ran out in a span, and all others that are the same people.
SELECT visitor_key FROM stays_overdue(*)
UNION DISTINCT
SELECT visitor_key FROM linked_overdue(*)
