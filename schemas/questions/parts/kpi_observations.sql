-- Everything that KPIs count in a span, one row each, with the slices of the visit it belongs to.
SELECT v.kpi AS kpi, v.at AS at, v.value AS value, v.currency AS currency, v.person_id AS person_id,
    v.model AS model, v.cycle AS cycle, v.phase AS phase, v.channel AS channel,
    s.channel_group AS channel_group, s.traffic_source AS traffic_source, s.campaign AS campaign,
    s.device AS device, s.country AS country
FROM kpi_values(*) AS v
ASOF LEFT JOIN visits_begun(*, start = {start:DateTime64(3, 'UTC')} - INTERVAL 1 DAY, channel = '', segment = '') AS s
    ON v.visitor_id = s.visitor_id AND v.at >= s.started_at
