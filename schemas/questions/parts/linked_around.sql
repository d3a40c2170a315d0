-- All linked visitors of the people with a visit in a span, each with that person.
SELECT *
FROM linked(*)
WHERE person_key IN (SELECT person_key FROM linked_in(*))
