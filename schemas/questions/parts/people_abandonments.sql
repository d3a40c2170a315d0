-- What was abandoned in a span, with the person known now; without that of bots.
SELECT a.*, if(i.person_id = '', a.visitor_id, i.person_id) AS person_id, cityHash64(person_id) AS person_key
FROM
(
    SELECT * EXCEPT (person_id)
    FROM abandonments FINAL
    WHERE site = {site:String}
        AND abandoned_at >= {start:DateTime64(3, 'UTC')} AND abandoned_at < {end:DateTime64(3, 'UTC')}
        AND ({channel:String} = '' OR session_id IN (SELECT session_id FROM sessions_of_channel(*)))
        AND session_id NOT IN (SELECT session_id FROM bots_in(*, start = {start:DateTime64(3, 'UTC')} - INTERVAL 365 DAY))
    SETTINGS do_not_merge_across_partitions_select_final = 1
) AS a
LEFT JOIN
(
    SELECT visitor_id, person_id
    FROM identities FINAL
    PREWHERE visitor_id IN
    (
        SELECT visitor_id FROM abandonments
        WHERE site = {site:String}
            AND abandoned_at >= {start:DateTime64(3, 'UTC')} AND abandoned_at < {end:DateTime64(3, 'UTC')}
    )
    WHERE site = {site:String}
) AS i ON a.visitor_id = i.visitor_id
WHERE {segment:String} = '' OR person_id IN (SELECT person_id FROM people_of_segment(*))
