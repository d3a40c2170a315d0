-- Which ways led to an order, and which led nowhere?
-- `path` is what brought the visits of a way, in order of time, without repetitions; `by` is group,
-- source or campaign. Of touches that led to no order before the end, each person has one way.
WITH multiIf(
    {by:String} = 'source', toString(traffic_source),
    {by:String} = 'campaign', toString(traffic_campaign), toString(channel_group)
) AS one
SELECT path, is_converted, count() AS people
FROM
(
    SELECT arrayCompact(arraySort(groupArray((position, if(one = '', '(not set)', one)))).2) AS path,
        true AS is_converted
    FROM attribution(*)
    WHERE model = 'linear'
    GROUP BY order_id, person_id, converted_at
    UNION ALL
    SELECT arrayCompact(arraySort(groupArray((started_at, session_id, if(one = '', '(not set)', one)))).3), false
    FROM visits_begun(*)
    WHERE is_touch AND session_id NOT IN (SELECT session_id FROM touches_of_orders(*))
    GROUP BY person_id
)
GROUP BY path, is_converted
ORDER BY is_converted DESC, people DESC, path
