-- When do visits come, and what brings them?
WITH multiIf(
    {by:String} = 'source', toString(traffic_source), {by:String} = 'group', toString(channel_group),
    {by:String} = 'medium', toString(traffic_medium), {by:String} = 'campaign', toString(campaign),
    {by:String} = 'channel', toString(channel), {by:String} = 'device', toString(device),
    {by:String} = 'country', toString(country), ''
) AS one
SELECT toStartOfInterval(started_at, toIntervalSecond({step:UInt32})) AS time, one AS value,
    count() AS visits, uniqExact(person_id) AS people, countIf(orders > 0) AS with_order
FROM visits(*)
WHERE page_views > 0 OR {by:String} = 'channel'
GROUP BY time, value
ORDER BY time, visits DESC, value
