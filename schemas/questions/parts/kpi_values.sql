-- Everything that KPIs count in a span, one row each; `kpi` is one of them, or empty for all.
-- For those that are not asked for, an empty span is read.
SELECT toString(survey) AS kpi, at, value, '' AS currency, person_id, visitor_id,
    toString(channel) AS channel, '' AS model, toUInt32(0) AS cycle, phase
FROM survey_answers(*, end = if({kpi:String} IN ('', 'nps', 'csat'),
    {end:DateTime64(3, 'UTC')}, {start:DateTime64(3, 'UTC')}))
WHERE {kpi:String} IN ('', survey)
UNION ALL
SELECT found.1, started_at, found.2, '', person_id, visitor_id, toString(channel), {model:String},
    found.3, ''
FROM
(
    SELECT *, count() OVER (PARTITION BY person_id) AS cycles,
        row_number() OVER (PARTITION BY person_id ORDER BY started_at) = 1 AS is_first
    FROM journeys_begun(*, end = if(
        {kpi:String} IN ('', 'conversion_rate', 'hours_to_purchase', 'cycles_per_person'),
        {end:DateTime64(3, 'UTC')}, {start:DateTime64(3, 'UTC')}))
)
ARRAY JOIN arrayFilter(one -> one.4 AND {kpi:String} IN ('', one.1), [
    ('conversion_rate', if(ordered_at IS NULL, 0., 100.), cycle, true),
    ('hours_to_purchase', dateDiff('millisecond', started_at, coalesce(ordered_at, started_at)) / 3600000,
        cycle, ordered_at IS NOT NULL),
    ('cycles_per_person', toFloat64(cycles), 0, is_first)
]) AS found
UNION ALL
SELECT found.1, v.started_at, toFloat64(found.2), '', v.person_id, v.visitor_id, toString(v.channel), '',
    toUInt32(0), ''
FROM visits_begun(*, end = if({kpi:String} IN ('', 'visits', 'branded_search', 'direct_traffic',
    'cart_abandonment_rate', 'session_conversion_rate', 'returning_visitors'),
    {end:DateTime64(3, 'UTC')}, {start:DateTime64(3, 'UTC')})) AS v
LEFT JOIN
(
    SELECT person_id, toNullable(first_at) AS first_at
    FROM seen_before(*, end = if({kpi:String} IN ('', 'returning_visitors'),
        {end:DateTime64(3, 'UTC')}, {start:DateTime64(3, 'UTC')}))
) AS b ON v.person_id = b.person_id
ARRAY JOIN arrayFilter(one -> one.3 AND {kpi:String} IN ('', one.1), [
    ('visits', 1, true),
    ('branded_search', 1, v.is_branded),
    ('direct_traffic', 1, v.channel_group = 'Direct'),
    ('cart_abandonment_rate', 100 * (NOT v.has_ordered), has(v.steps, 'Product Added')),
    ('session_conversion_rate', 100 * v.has_ordered, true),
    ('returning_visitors', 1, ifNull(v.started_at > b.first_at, false))
]) AS found
UNION ALL
SELECT 'dwell_time', at, seconds, '', person_id, visitor_id, toString(channel), '', toUInt32(0), ''
FROM page_dwells(*, end = if({kpi:String} IN ('', 'dwell_time'),
    {end:DateTime64(3, 'UTC')}, {start:DateTime64(3, 'UTC')}))
UNION ALL
SELECT 'conversations', at, 1., '', person_id, visitor_id, toString(channel), '', toUInt32(0), ''
FROM contacts(*, end = if({kpi:String} IN ('', 'conversations'),
    {end:DateTime64(3, 'UTC')}, {start:DateTime64(3, 'UTC')}))
UNION ALL
SELECT found.1, first_at, found.2, found.3, person_id, visitor_id, channel, '', toUInt32(0), ''
FROM
(
    SELECT person_id, toString(currency) AS currency, min(ordered_at) AS first_at, sum(net) AS worth,
        argMin(visitor_id, ordered_at) AS visitor_id, toString(argMin(channel, ordered_at)) AS channel,
        any(days) AS days, row_number() OVER (PARTITION BY person_id ORDER BY first_at) = 1 AS is_first
    FROM
    (
        SELECT * EXCEPT (first_at), uniqExact(toDate(ordered_at)) OVER (PARTITION BY person_id) AS days
        FROM customers_of(*, end = if(
            {kpi:String} IN ('', 'customer_lifetime_value', 'repeat_purchase_rate'),
            {end:DateTime64(3, 'UTC')}, {start:DateTime64(3, 'UTC')}))
    )
    GROUP BY person_id, currency
)
ARRAY JOIN arrayFilter(one -> one.4 AND {kpi:String} IN ('', one.1), [
    ('customer_lifetime_value', toFloat64(worth), currency, true),
    ('repeat_purchase_rate', 100. * (days > 1), '', is_first)
]) AS found
UNION ALL
SELECT if(name = 'Product Reviewed', 'reviews', 'recommendations') AS one, occurred_at, 1., '', person_id,
    visitor_id, toString(channel), '', toUInt32(0), ''
FROM people_touchpoints(*, end = if({kpi:String} IN ('', 'reviews', 'recommendations'),
    {end:DateTime64(3, 'UTC')}, {start:DateTime64(3, 'UTC')}))
WHERE {kpi:String} IN ('', one)
    AND name IN ('Product Reviewed', 'Recommendation Made')
