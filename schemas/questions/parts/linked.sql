-- Linked visitors of a site, each with the person it belongs to now.
SELECT visitor_id, person_id
FROM identities FINAL
WHERE site = {site:String}
