-- Touchpoints of people in a span, with the person known now.
SELECT t.*, if(i.person_id = '', t.visitor_id, i.person_id) AS person_id
FROM touchpoints_in(*) AS t
LEFT JOIN linked_in(*) AS i ON t.visitor_id = i.visitor_id
WHERE ({channel:String} = '' OR channel = {channel:String})
    AND ({segment:String} = '' OR t.visitor_id IN (SELECT visitor_id FROM visitors_of_segment(*)))
