-- Which ways led to an order, and which led nowhere?
-- `path` is what brought the visits of a way, in order of time, without repetitions; `by` is group,
-- source or campaign. Of touches that led to no order before the end, each person has one way.
SELECT arrayCompact(arrayMap(one -> if(one = '', '(not set)', one), ways)) AS path, is_converted,
    count() AS people
FROM
(
    SELECT arrayMap(
            t -> toString(multiIf({by:String} = 'source', t.3, {by:String} = 'campaign', t.5, t.6)), way
        ) AS ways, true AS is_converted
    FROM ways_to_orders(*)
    WHERE notEmpty(way)
    UNION ALL
    SELECT arraySort(groupArray((started_at, session_id, multiIf(
        {by:String} = 'source', toString(traffic_source),
        {by:String} = 'campaign', toString(traffic_campaign), toString(channel_group)
    )))).3, false
    FROM visits_begun(*)
    WHERE is_touch AND session_id NOT IN (SELECT session_id FROM touches_of_orders(*))
    GROUP BY person_id
)
GROUP BY path, is_converted
ORDER BY is_converted DESC, people DESC, path
