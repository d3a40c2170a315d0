-- People of whom something happened in a span that has no page of its own.
SELECT DISTINCT person_key
FROM people_touchpoints(*)
WHERE path = ''
