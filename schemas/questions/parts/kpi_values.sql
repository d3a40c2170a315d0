-- Everything that KPIs count in a span, one row each; `kpi` is one of them, or empty for all.
SELECT toString(survey) AS kpi, at, value, '' AS currency, person_id, visitor_id,
    toString(channel) AS channel, '' AS model, toUInt32(0) AS cycle, phase
FROM survey_answers(*)
WHERE {kpi:String} IN ('', 'nps', 'csat') AND {kpi:String} IN ('', survey)
UNION ALL
SELECT found.1, started_at, found.2, '', person_id, visitor_id, toString(channel), {model:String}, cycle, ''
FROM journeys_begun(*)
ARRAY JOIN [
    ('conversion_rate', if(ordered_at IS NULL, 0., 100.)),
    ('hours_to_purchase', dateDiff('millisecond', started_at, coalesce(ordered_at, started_at)) / 3600000)
] AS found
WHERE {kpi:String} IN ('', 'conversion_rate', 'hours_to_purchase') AND {kpi:String} IN ('', found.1)
    AND (found.1 != 'hours_to_purchase' OR ordered_at IS NOT NULL)
UNION ALL
SELECT 'cycles_per_person', min(started_at), toFloat64(count()), '', person_id,
    argMin(visitor_id, started_at), toString(argMin(channel, started_at)), {model:String}, toUInt32(0), ''
FROM journeys_begun(*)
WHERE {kpi:String} IN ('', 'cycles_per_person')
GROUP BY person_id
UNION ALL
SELECT found.1, started_at, toFloat64(found.2), '', person_id, visitor_id, toString(channel), '',
    toUInt32(0), ''
FROM visits(*)
ARRAY JOIN arrayFilter(one -> one.3 AND {kpi:String} IN ('', one.1), [
    ('visits', 1, true),
    ('branded_search', 1, is_branded),
    ('direct_traffic', 1, channel_group = 'Direct'),
    ('cart_abandonment_rate', 100 * (NOT has_ordered), has(steps, 'Product Added')),
    ('session_conversion_rate', 100 * has_ordered, true)
]) AS found
WHERE {kpi:String} IN
    ('', 'visits', 'branded_search', 'direct_traffic', 'cart_abandonment_rate', 'session_conversion_rate')
UNION ALL
SELECT 'returning_visitors', v.started_at, 1., '', v.person_id, v.visitor_id, toString(v.channel), '',
    toUInt32(0), ''
FROM visits(*) AS v
INNER JOIN seen_before(*) AS b ON v.person_id = b.person_id
WHERE {kpi:String} IN ('', 'returning_visitors') AND v.started_at > b.first_at
UNION ALL
SELECT 'dwell_time', at, seconds, '', person_id, visitor_id, toString(channel), '', toUInt32(0), ''
FROM page_dwells(*)
WHERE {kpi:String} IN ('', 'dwell_time')
UNION ALL
SELECT 'conversations', at, 1., '', person_id, visitor_id, toString(channel), '', toUInt32(0), ''
FROM contacts(*)
WHERE {kpi:String} IN ('', 'conversations')
UNION ALL
SELECT 'customer_lifetime_value', min(p.ordered_at), toFloat64(sum(p.net)), toString(p.currency),
    p.person_id, argMin(p.visitor_id, p.ordered_at), toString(argMin(p.channel, p.ordered_at)), '',
    toUInt32(0), ''
FROM customers_of(*) AS p
WHERE {kpi:String} IN ('', 'customer_lifetime_value')
GROUP BY p.person_id, p.currency
UNION ALL
SELECT 'repeat_purchase_rate', min(p.ordered_at), if(uniqExact(toDate(p.ordered_at)) > 1, 100., 0.), '',
    p.person_id, argMin(p.visitor_id, p.ordered_at), toString(argMin(p.channel, p.ordered_at)), '',
    toUInt32(0), ''
FROM customers_of(*) AS p
WHERE {kpi:String} IN ('', 'repeat_purchase_rate')
GROUP BY p.person_id
UNION ALL
SELECT if(name = 'Product Reviewed', 'reviews', 'recommendations') AS one, occurred_at, 1., '', person_id,
    visitor_id, toString(channel), '', toUInt32(0), ''
FROM people_touchpoints(*)
WHERE {kpi:String} IN ('', 'reviews', 'recommendations') AND {kpi:String} IN ('', one)
    AND name IN ('Product Reviewed', 'Recommendation Made')
