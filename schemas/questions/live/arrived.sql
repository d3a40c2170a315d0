-- What arrived last, and what became of it?
-- With the number of the visitor's visit and the touchpoint's place in it, of the visits since `start`.
-- What the tracker has not yet judged is in no session. Only what was `received` since; `own_id` is the person as the session knows it.
WITH newest AS
(
    SELECT visitor_id, touchpoint_id
    FROM touchpoints
    WHERE site = {site:String}
        AND occurred_at >= {start:DateTime64(3, 'UTC')} AND occurred_at < {end:DateTime64(3, 'UTC')}
        AND received_at >= {received:DateTime64(3, 'UTC')}
        AND ({channel:String} = '' OR channel = {channel:String})
        AND ({segment:String} = '' OR visitor_id IN (SELECT visitor_id FROM visitors_of_segment(*)))
    ORDER BY received_at DESC, occurred_at DESC, touchpoint_id
    LIMIT 1 BY visitor_id, touchpoint_id
    LIMIT {most:UInt32}
),
seen AS
(
    SELECT * FROM touchpoints FINAL
    WHERE site = {site:String} AND occurred_at >= {start:DateTime64(3, 'UTC')}
        AND visitor_id IN (SELECT visitor_id FROM newest)
),
visits_of_theirs AS
(
    SELECT visitor_id, session_id, person_id, started_at,
        row_number() OVER (PARTITION BY visitor_id ORDER BY started_at, session_id) AS number
    FROM sessions FINAL
    WHERE site = {site:String} AND (toDate(started_at), visitor_id) IN
    (
        SELECT day, visitor_id FROM visitor_days
        WHERE site = {site:String} AND visitor_id IN (SELECT visitor_id FROM newest)
    )
)
SELECT r.*, if(i.person_id = '', r.own_id, i.person_id) AS person_id
FROM
(
    SELECT t.touchpoint_id AS touchpoint_id, t.visitor_id AS visitor_id,
        t.occurred_at AS occurred_at, t.received_at AS received_at, t.name AS name,
        t.channel AS channel, t.path AS path, t.revenue AS revenue, t.currency AS currency,
        substring(t.properties, 1, {longest:UInt32}) AS properties, t.device AS device,
        t.browser AS browser, t.is_bot AS is_bot, t.is_late AS is_late,
        s.session_id AS session_id, toUInt32(s.number) AS session_number, s.person_id AS own_id,
        toUInt32(row_number() OVER (
            PARTITION BY t.visitor_id, s.session_id ORDER BY t.occurred_at, t.turn, t.touchpoint_id
        )) AS nth
    FROM seen AS t
    ASOF LEFT JOIN visits_of_theirs AS s ON t.visitor_id = s.visitor_id AND t.occurred_at >= s.started_at
) AS r
LEFT JOIN
(
    SELECT visitor_id, person_id FROM identities FINAL
    WHERE site = {site:String} AND visitor_id IN (SELECT visitor_id FROM newest)
) AS i ON r.visitor_id = i.visitor_id
WHERE (r.visitor_id, r.touchpoint_id) IN newest
ORDER BY r.received_at DESC, r.occurred_at DESC, r.touchpoint_id
