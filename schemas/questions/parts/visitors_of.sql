-- The visitors that a person is.
SELECT visitor_id FROM linked(*) WHERE person_id = {person:String}
UNION DISTINCT
SELECT {person:String}
