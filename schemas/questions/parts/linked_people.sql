-- Linked visitors among those of some people, each with the person it belongs to now.
SELECT *
FROM linked(*)
WHERE visitor_id IN (SELECT visitor_id FROM visitors_of_people(*))
