-- Linked visitors of a site, each with the person it belongs to now. Keys are hashes of the ids.
SELECT visitor_id, person_id, cityHash64(visitor_id) AS visitor_key, cityHash64(person_id) AS person_key
FROM identities FINAL
WHERE site = {site:String}
