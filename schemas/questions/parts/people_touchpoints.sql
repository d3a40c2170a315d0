-- Touchpoints of people in a span, with the person known now, and keys: hashes of the ids.
SELECT t.*, if(i.person_id = '', t.visitor_id, i.person_id) AS person_id,
    if(i.person_key = 0, t.visitor_key, i.person_key) AS person_key
FROM touchpoints_in(*) AS t
LEFT JOIN linked_in(*) AS i ON t.visitor_key = i.visitor_key
WHERE ({channel:String} = '' OR channel = {channel:String})
    AND ({segment:String} = '' OR t.visitor_id IN (SELECT visitor_id FROM visitors_of_segment(*)))
