-- All linked visitors of the people whose time in a phase ran out in a span, each with that person.
SELECT *
FROM linked(*)
WHERE person_key IN
    (SELECT person_key FROM linked(*) WHERE visitor_key IN (SELECT visitor_key FROM stays_overdue(*)))
