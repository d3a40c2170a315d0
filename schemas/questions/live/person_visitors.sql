-- Which visitors is this person?
-- `person` is a pseudonym: of linked visitors, or of one that is a person of its own.
SELECT visitor_id FROM sessions FINAL WHERE site = {site:String}
    AND visitor_id IN (SELECT visitor_id FROM linked(*) WHERE person_id = {person:String})
UNION DISTINCT
SELECT visitor_id FROM sessions FINAL WHERE site = {site:String} AND person_id = {person:String}
    AND visitor_id NOT IN
    (
        SELECT visitor_id FROM linked(*)
        WHERE visitor_id IN (SELECT visitor_id FROM sessions WHERE site = {site:String} AND person_id = {person:String})
    )
