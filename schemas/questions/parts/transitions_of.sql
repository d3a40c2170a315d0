-- Transitions of a model before the end of a span, of the people seen in it; without those of bots.
-- The touchpoint settles whose a transition is and when. So rows are chosen by these first, and the
-- newest version of each is found among the few that are left.
SELECT if(i.person_id = '', t.visitor_id, i.person_id) AS person_id, t.visitor_id AS visitor_id,
    t.cycle AS cycle, t.to_phase AS to_phase, t.kind AS kind, t.channel AS channel,
    t.at AS at, t.turn AS turn, t.touchpoint_id AS touchpoint_id
FROM
(
    SELECT r.visitor_id AS visitor_id, r.touchpoint_id AS touchpoint_id, any(r.at) AS at,
        argMax(
            (r.cycle, r.to_phase, r.kind, r.channel, r.turn, r.is_deleted), r.version
        ) AS newest,
        newest.1 AS cycle, newest.2 AS to_phase, newest.3 AS kind, newest.4 AS channel,
        newest.5 AS turn
    FROM transitions AS r
    PREWHERE r.visitor_id IN (SELECT visitor_id FROM visitors_around(*))
    WHERE r.site = {site:String} AND r.model = {model:String} AND r.at < {end:DateTime64(3, 'UTC')}
    GROUP BY visitor_id, touchpoint_id
    HAVING newest.6 = 0
) AS t
LEFT JOIN linked(*) AS i ON t.visitor_id = i.visitor_id
WHERE t.visitor_id NOT IN (SELECT visitor_id FROM bots(*))
