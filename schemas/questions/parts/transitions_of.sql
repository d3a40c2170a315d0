-- Transitions of a model before the end of a span, of the people seen in it; without those of bots.
-- The touchpoint settles whose a transition is and when. So rows are chosen by these first, and the
-- newest version of each is found among the few that are left.
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
    PREWHERE r.visitor_key IN (SELECT visitor_key FROM visitors_around(*))
    WHERE r.site = {site:String} AND r.model = {model:String} AND r.at < {end:DateTime64(3, 'UTC')}
    GROUP BY visitor_key, touchpoint_id
    HAVING newest.6 = 0
) AS t
LEFT JOIN linked_around(*) AS i ON t.visitor_key = i.visitor_key
WHERE t.visitor_id NOT IN (SELECT visitor_id FROM bots(*))
