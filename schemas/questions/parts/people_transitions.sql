-- Transitions of a model in a span, with the person known now; without those of bots.
SELECT t.*, if(i.person_id = '', t.visitor_id, i.person_id) AS person_id
FROM
(
    SELECT * EXCEPT (person_id), visitor_key
    FROM transitions FINAL
    WHERE site = {site:String} AND model = {model:String}
        AND at >= {start:DateTime64(3, 'UTC')} AND at < {end:DateTime64(3, 'UTC')}
        AND ({channel:String} = '' OR channel = {channel:String})
        AND session_id NOT IN (SELECT session_id FROM bots_in(*))
    SETTINGS do_not_merge_across_partitions_select_final = 1
) AS t
LEFT JOIN linked_in(*) AS i ON t.visitor_key = i.visitor_key
WHERE {segment:String} = '' OR person_id IN (SELECT person_id FROM people_of_segment(*))
