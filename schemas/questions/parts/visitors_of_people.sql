-- The visitors that some people are.
SELECT visitor_id FROM linked(*) WHERE person_id IN {people:Array(String)}
UNION DISTINCT
SELECT arrayJoin({people:Array(String)})
