-- Visitors who are, or belong to, people of a segment.
SELECT visitor_id FROM linked(*) WHERE person_id IN (SELECT person_id FROM people_of_segment(*))
UNION DISTINCT
SELECT person_id FROM people_of_segment(*)
