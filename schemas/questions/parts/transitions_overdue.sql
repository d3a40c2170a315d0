-- Transitions of a model of people whose time in a phase ran out in a span; without those of bots.
SELECT if(i.person_id = '', t.visitor_id, i.person_id) AS person_id, t.visitor_id AS visitor_id,
    if(i.person_key = 0, t.visitor_key, i.person_key) AS person_key,
    t.cycle AS cycle, t.to_phase AS to_phase, t.kind AS kind, t.channel AS channel,
    t.at AS at, t.turn AS turn, t.touchpoint_id AS touchpoint_id
FROM
(
    SELECT r.visitor_key AS visitor_key, r.touchpoint_id AS touchpoint_id,
        any(r.visitor_id) AS visitor_id, any(r.at) AS at,
        argMax(
            (r.cycle, r.to_phase, r.kind, r.channel, r.turn, r.is_deleted), r.version
        ) AS newest,
        newest.1 AS cycle, newest.2 AS to_phase, newest.3 AS kind, newest.4 AS channel,
        newest.5 AS turn
    FROM transitions AS r
    PREWHERE r.visitor_key IN (SELECT visitor_key FROM visitors_overdue(*))
    WHERE r.site = {site:String} AND r.model = {model:String}
    GROUP BY visitor_key, touchpoint_id
    HAVING newest.6 = 0
) AS t
LEFT JOIN linked_overdue(*) AS i ON t.visitor_key = i.visitor_key
WHERE ({channel:String} = '' OR t.channel = {channel:String})
    AND ({segment:String} = '' OR t.visitor_id IN (SELECT visitor_id FROM visitors_of_segment(*)))
    AND t.visitor_id NOT IN (SELECT visitor_id FROM bots(*))
