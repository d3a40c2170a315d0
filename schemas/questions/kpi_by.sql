-- Which channels, sources, campaigns, devices or countries have which KPI?
-- `kpi` is one of those of `kpi_definitions`, or empty for all. `by` is channel, group, source, campaign, device, country, phase (of a survey) or cycle.
SELECT o.kpi AS kpi,
    multiIf(
        {by:String} = 'channel', o.channel, {by:String} = 'group', toString(o.channel_group),
        {by:String} = 'source', toString(o.traffic_source), {by:String} = 'campaign', toString(o.campaign),
        {by:String} = 'device', toString(o.device), {by:String} = 'country', toString(o.country),
        {by:String} = 'phase', o.phase, {by:String} = 'cycle', toString(o.cycle), ''
    ) AS slice, o.currency AS currency,
    multiIf(
        any(d.reading) = 'sum', sum(o.value), any(d.reading) = 'median', medianExact(o.value),
        any(d.reading) = 'people', toFloat64(uniqExact(o.person_id)), avg(o.value)
    ) AS value, count() AS observations, uniqExact(o.person_id) AS people
FROM kpi_observations(*) AS o
INNER JOIN kpi_definitions AS d ON d.kpi = o.kpi
GROUP BY kpi, slice, currency
ORDER BY kpi, observations DESC, slice, currency
LIMIT {most:UInt32} BY kpi
