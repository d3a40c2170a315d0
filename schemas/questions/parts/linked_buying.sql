-- All linked visitors of the people who tell of an order in a span, each with that person.
SELECT *
FROM linked(*)
WHERE person_id IN (SELECT person_id FROM linked_ordering(*))
