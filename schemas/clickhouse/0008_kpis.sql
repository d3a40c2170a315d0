-- KPIs on three levels: the journey, its phases, one touchpoint. docs/kpis.md defines each.
-- Everything is counted by observation: one row each in kpi_observations, with all its slices, so
-- that a filter and a grouping give any KPI of any slice. Bots are left out everywhere.

-- --- slices --------------------------------------------------------------------------------------

CREATE TABLE segment_states
(
    site       LowCardinality(String) COMMENT 'Shop or brand',
    visitor_id String COMMENT 'The device, or user:<id> without one',
    segment    AggregateFunction(argMax, String, Tuple(DateTime64(3, 'UTC'), UInt64, String)) COMMENT 'State of segments.segment'
)
ENGINE = AggregatingMergeTree
ORDER BY (site, visitor_id)
SETTINGS non_replicated_deduplication_window = 10000
COMMENT 'What the view segments is made of';

-- `segment` as a property or trait, else the trait `persona`.
CREATE MATERIALIZED VIEW segment_mv TO segment_states AS
SELECT t.site AS site, t.visitor_id AS visitor_id,
    argMaxState(t.said, (t.occurred_at, t.turn, t.touchpoint_id)) AS segment
FROM
(
    SELECT site, visitor_id, occurred_at, turn, touchpoint_id,
        arrayFirst(word -> word != '', [
            JSONExtractString(properties, 'segment'),
            JSONExtractString(properties, 'traits', 'segment'),
            JSONExtractString(properties, 'context', 'traits', 'segment'),
            JSONExtractString(properties, 'traits', 'persona'),
            JSONExtractString(properties, 'context', 'traits', 'persona')
        ]) AS said
    FROM touchpoints
    WHERE position(properties, '"segment"') > 0 OR position(properties, '"persona"') > 0
) AS t
WHERE t.said != ''
GROUP BY site, visitor_id;

CREATE VIEW segments
(
    site LowCardinality(String) COMMENT 'Shop or brand',
    owner String COMMENT 'The person of a linked visitor, else the visitor',
    segment String COMMENT 'Newest property or trait `segment`, else trait `persona`'
)
AS
SELECT g.site AS site, if(i.person_id = '', g.visitor_id, i.person_id) AS owner,
    argMaxMerge(g.segment) AS segment
FROM segment_states AS g
LEFT JOIN (SELECT site, visitor_id, person_id FROM identities FINAL) AS i
    ON g.site = i.site AND g.visitor_id = i.visitor_id
GROUP BY site, owner
COMMENT 'Which segment people belong to';

CREATE VIEW session_slices
(
    site LowCardinality(String) COMMENT 'Shop or brand',
    session_id String COMMENT 'Hash of site, visitor and first touchpoint',
    person_id String COMMENT 'The human, by all links known now',
    started_at DateTime64(3, 'UTC') COMMENT 'Its first touchpoint',
    channel LowCardinality(String) COMMENT 'Of the first touchpoint',
    channel_group LowCardinality(String) COMMENT 'What brought the visit, by group',
    traffic_source LowCardinality(String) COMMENT 'What brought the visit',
    campaign String COMMENT 'What brought the visit; else the parameter utm_campaign',
    device LowCardinality(String) COMMENT 'Of the first touchpoint',
    country LowCardinality(String) COMMENT 'Of the visit',
    segment String COMMENT 'Of the person',
    steps Array(LowCardinality(String)) COMMENT 'Funnel steps it reached, in funnel order',
    orders UInt32 COMMENT 'How many, an order id counts once',
    is_branded Bool COMMENT 'The brand was searched for',
    number UInt64 COMMENT 'Which session of this person, from 1'
)
AS
SELECT s.site AS site, s.session_id AS session_id,
    if(i.person_id = '', s.person_id, i.person_id) AS person_id,
    s.started_at AS started_at, s.channel AS channel, s.channel_group AS channel_group,
    s.traffic_source AS traffic_source,
    if(s.traffic_campaign = '', s.utm_campaign, s.traffic_campaign) AS campaign,
    s.device AS device, s.country AS country, g.segment AS segment, s.steps AS steps,
    s.orders AS orders, s.is_branded AS is_branded,
    row_number() OVER (PARTITION BY site, person_id ORDER BY started_at, session_id) AS number
FROM (SELECT * FROM sessions FINAL WHERE NOT is_bot) AS s
LEFT JOIN (SELECT site, visitor_id, person_id FROM identities FINAL) AS i
    ON s.site = i.site AND s.visitor_id = i.visitor_id
LEFT JOIN segments AS g
    ON s.site = g.site AND if(i.person_id = '', s.visitor_id, i.person_id) = g.owner
COMMENT 'Sessions of people, with everything that KPIs are sliced by';

-- --- what KPIs are made of -----------------------------------------------------------------------

CREATE VIEW purchases
(
    site LowCardinality(String) COMMENT 'Shop or brand',
    person_id String COMMENT 'The human, by all links known now',
    order_id String COMMENT 'Its number; empty: unknown',
    ordered_at DateTime64(3, 'UTC') COMMENT 'Its first touchpoint',
    channel String COMMENT 'Where it was ordered',
    session_id String COMMENT 'The session it happened in',
    revenue Decimal(18, 2) COMMENT 'Of its first touchpoint',
    currency String COMMENT 'Of revenue',
    days_since_previous Nullable(Int64) COMMENT 'Since the person''s order before; null: it is the first'
)
AS
SELECT site, person_id, order_id, ordered_at, channel, session_id, revenue, currency,
    dateDiff('day', lagInFrame(toNullable(ordered_at)) OVER earlier, ordered_at)
        AS days_since_previous
FROM
(
    SELECT t.site AS site, t.order_id AS order_id,
        argMin(t.person_id, (t.occurred_at, t.turn, t.touchpoint_id)) AS person_id,
        min(t.occurred_at) AS ordered_at,
        argMin(t.channel, (t.occurred_at, t.turn, t.touchpoint_id)) AS channel,
        argMin(t.session_id, (t.occurred_at, t.turn, t.touchpoint_id)) AS session_id,
        argMin(t.revenue, (t.occurred_at, t.turn, t.touchpoint_id)) AS revenue,
        argMin(t.currency, (t.occurred_at, t.turn, t.touchpoint_id)) AS currency,
        if(order_id = '', t.touchpoint_id, '') AS own
    FROM person_touchpoints AS t
    WHERE t.name = 'Order Completed' AND NOT t.is_bot
    GROUP BY site, order_id, own
)
WINDOW earlier AS (
    PARTITION BY site, person_id ORDER BY ordered_at, order_id
    ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING
)
COMMENT 'Orders, each once; one without an id is an order of its own';

CREATE VIEW journeys
(
    site LowCardinality(String) COMMENT 'Shop or brand',
    model LowCardinality(String) COMMENT 'Journey model',
    person_id String COMMENT 'The human, by all links known now',
    cycle UInt32 COMMENT 'How often the journey has begun, from 1',
    started_at DateTime64(3, 'UTC') COMMENT 'Its first evidence',
    channel String COMMENT 'Of that touchpoint',
    session_id String COMMENT 'Of that touchpoint',
    phase String COMMENT 'Where it stands, or ended',
    ordered_at Nullable(DateTime64(3, 'UTC')) COMMENT 'Its first order; null: none'
)
AS
SELECT j.site AS site, j.model AS model, j.person_id AS person_id, j.cycle AS cycle,
    j.started_at AS started_at, j.channel AS channel, j.session_id AS session_id,
    j.phase AS phase, o.first_order AS ordered_at
FROM
(
    SELECT s.site AS site, s.model AS model, s.person_id AS person_id, s.cycle AS cycle,
        min(s.entered_at) AS started_at, argMin(s.channel, s.entered_at) AS channel,
        argMin(s.session_id, s.entered_at) AS session_id, argMax(s.phase, s.entered_at) AS phase
    FROM stays AS s
    GROUP BY site, model, person_id, cycle
) AS j
LEFT JOIN
(
    SELECT site, model, person_id, b.started_at AS started_at, min(toNullable(ordered_at)) AS first_order
    FROM
    (
        SELECT site, person_id, ordered_at, model
        FROM purchases
        ARRAY JOIN (SELECT groupUniqArray(model) FROM transitions) AS model
    ) AS p
    ASOF INNER JOIN
    (
        SELECT site, model, person_id, min(entered_at) AS started_at
        FROM stays
        GROUP BY site, model, person_id, cycle
    ) AS b
        ON p.site = b.site AND p.model = b.model AND p.person_id = b.person_id
        AND p.ordered_at >= b.started_at
    GROUP BY site, model, person_id, started_at
) AS o
    ON j.site = o.site AND j.model = o.model AND j.person_id = o.person_id
    AND j.started_at = o.started_at
COMMENT 'Every journey of every person: a cycle of a model';

CREATE VIEW survey_answers
(
    site LowCardinality(String) COMMENT 'Shop or brand',
    touchpoint_id String COMMENT 'The event id its sender gave it',
    at DateTime64(3, 'UTC') COMMENT 'When it was answered',
    person_id String COMMENT 'The human, by all links known now',
    session_id String COMMENT 'The session it happened in',
    channel LowCardinality(String) COMMENT 'Where it was answered',
    survey String COMMENT 'nps or csat',
    phase String COMMENT 'What it is about, as the survey says; empty: it does not',
    touchpoint String COMMENT 'What it is about, as the survey says; empty: it does not',
    score Float64 COMMENT 'nps: 0 to 10, csat: 1 to 5',
    value Float64 COMMENT 'What the KPI is the mean of: 100, 0 or -100',
    satisfaction Float64 COMMENT 'The score on a scale from 0 to 100'
)
AS
SELECT t.site AS site, t.touchpoint_id AS touchpoint_id, t.occurred_at AS at,
    t.person_id AS person_id, t.session_id AS session_id, t.channel AS channel,
    lower(if(
        JSONHas(t.properties, 'kind'),
        JSONExtractString(t.properties, 'kind'),
        JSONExtractString(t.properties, 'survey')
    )) AS survey,
    JSONExtractString(t.properties, 'phase') AS phase,
    JSONExtractString(t.properties, 'touchpoint') AS touchpoint,
    assumeNotNull(toFloat64OrNull(trim(BOTH '"' FROM JSONExtractRaw(t.properties, 'score')))) AS score,
    toFloat64(if(
        survey = 'nps', 100 * ((score >= 9) - (score <= 6)), 100 * (score >= 4)
    )) AS value,
    if(survey = 'nps', 10 * score, 25 * (score - 1)) AS satisfaction
FROM person_touchpoints AS t
WHERE t.name = 'Survey Answered' AND NOT t.is_bot
    AND toFloat64OrNull(trim(BOTH '"' FROM JSONExtractRaw(t.properties, 'score'))) IS NOT NULL
    AND ((survey = 'nps' AND score BETWEEN 0 AND 10) OR (survey = 'csat' AND score BETWEEN 1 AND 5))
COMMENT 'Answers with a score';

CREATE VIEW page_dwells
(
    site LowCardinality(String) COMMENT 'Shop or brand',
    at DateTime64(3, 'UTC') COMMENT 'When the page was opened',
    person_id String COMMENT 'The human, by all links known now',
    session_id String COMMENT 'The session it happened in',
    channel String COMMENT 'Where it happened',
    path String COMMENT 'Of the page',
    seconds Float64 COMMENT 'Measured by the page, else until the next page or the last touchpoint'
)
AS
SELECT p.site AS site, p.opened_at AS at, p.person_id AS person_id, p.session_id AS session_id,
    p.channel AS channel, p.path AS path,
    if(p.engaged > 0, p.engaged, dateDiff('millisecond', p.opened_at, p.closed_at) / 1000) AS seconds
FROM
(
    SELECT site, session_id, person_id, number, opened_at, channel, path, engaged,
        leadInFrame(opened_at, 1, last_at) OVER (
            PARTITION BY site, session_id ORDER BY number
            ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING
        ) AS closed_at
    FROM
    (
        SELECT t.site AS site, t.session_id AS session_id, any(t.person_id) AS person_id,
            t.page AS number, min(t.occurred_at) AS opened_at, max(t.occurred_at) AS last_at,
            argMin(t.channel, (t.occurred_at, t.turn, t.touchpoint_id)) AS channel,
            argMin(t.path, (t.occurred_at, t.turn, t.touchpoint_id)) AS path,
            sumIf(
                greatest(0, JSONExtractFloat(t.properties, 'engaged_seconds')),
                t.name = 'Page Engaged'
            ) AS engaged
        FROM
        (
            SELECT *,
                sum(type IN ('page', 'screen') OR name IN ('Page Viewed', 'Screen Viewed')) OVER (
                    PARTITION BY site, session_id ORDER BY occurred_at, turn, touchpoint_id
                    ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
                ) AS page
            FROM person_touchpoints
            WHERE NOT is_bot
        ) AS t
        WHERE t.page > 0
        GROUP BY site, session_id, number
    )
) AS p
WHERE seconds > 0
COMMENT 'How long people stayed on a page; the last one of a session may be unknown';

-- --- KPIs of the journey and of its phases -------------------------------------------------------

CREATE VIEW kpi_definitions
(
    kpi String COMMENT 'Id of the KPI',
    levels Array(String) COMMENT 'journey, or the phases of the model canvas and lifecycle that it tells about',
    reading String COMMENT 'How observations become the KPI: mean, median, sum of the values, or people',
    unit String COMMENT '%, points, h, s, per person, money or count',
    en String COMMENT 'Label in English',
    de String COMMENT 'Label in German',
    formula String COMMENT 'Definition'
)
AS
SELECT d.1 AS kpi, d.2 AS levels, d.3 AS reading, d.4 AS unit, d.5 AS en, d.6 AS de, d.7 AS formula
FROM
(
    SELECT arrayJoin([
        ('nps', ['journey', 'loyalty'], 'mean', 'points', 'Net promoter score', 'Weiterempfehlungsbereitschaft (NPS)', '% of answers 9 to 10 minus % of answers 0 to 6, of 0 to 10'),
        ('csat', ['journey', 'loyalty'], 'mean', '%', 'Customer satisfaction', 'Kundenzufriedenheit (CSAT)', '% of answers 4 to 5, of 1 to 5'),
        ('conversion_rate', ['journey'], 'mean', '%', 'Conversion rate', 'Konversionsrate', 'journeys with an order ÷ journeys'),
        ('hours_to_purchase', ['journey'], 'median', 'h', 'Time to purchase', 'Zeit bis zum Kauf', 'median time from the first touchpoint of a journey to its first order'),
        ('cycles_per_person', ['journey'], 'mean', 'per person', 'Cycles per person', 'Durchläufe je Person', 'journeys ÷ people'),
        ('visits', ['awareness'], 'sum', 'count', 'Visits', 'Besuche', 'sessions'),
        ('dwell_time', ['awareness'], 'median', 's', 'Dwell time on page', 'Verweildauer', 'median time on a page'),
        ('branded_search', ['consideration'], 'sum', 'count', 'Branded search', 'Suche nach der Marke', 'sessions brought by a search for the brand'),
        ('direct_traffic', ['consideration'], 'sum', 'count', 'Direct traffic', 'Direkte Besuche', 'sessions of the channel group Direct'),
        ('cart_abandonment_rate', ['purchase', 'decision'], 'mean', '%', 'Cart abandonment rate', 'Warenkorbabbruchrate', '1 − sessions with an order ÷ sessions with a cart, of sessions with a cart'),
        ('session_conversion_rate', ['purchase', 'decision'], 'mean', '%', 'Conversion rate of sessions', 'Konversionsrate der Besuche', 'sessions with an order ÷ sessions'),
        ('returning_visitors', ['service', 'retention'], 'people', 'count', 'Returning visitors', 'Wiederkehrende Besucher', 'people with a session that is not their first'),
        ('conversations', ['service', 'retention'], 'sum', 'count', 'Conversations', 'Gespräche', 'sessions with a contact by phone, chat, messenger or support'),
        ('customer_lifetime_value', ['service', 'retention'], 'mean', 'money', 'Customer lifetime value', 'Kundenwert', 'revenue so far ÷ customers, in each currency'),
        ('reviews', ['loyalty', 'advocacy'], 'sum', 'count', 'Reviews', 'Bewertungen', 'touchpoints Product Reviewed'),
        ('recommendations', ['loyalty', 'advocacy'], 'sum', 'count', 'Recommendations', 'Empfehlungen', 'touchpoints Recommendation Made'),
        ('repeat_purchase_rate', ['loyalty', 'advocacy'], 'mean', '%', 'Repeat purchase rate', 'Wiederkaufrate', 'customers who ordered on two or more days ÷ customers')
    ]) AS d
)
COMMENT 'What each KPI is; docs/kpis.md says more';

CREATE VIEW kpi_observations
(
    site LowCardinality(String) COMMENT 'Shop or brand',
    kpi String COMMENT 'Id of the KPI',
    at DateTime64(3, 'UTC') COMMENT 'The time it counts for',
    value Float64 COMMENT 'The observation: shares are 0 or 100',
    currency String COMMENT 'Of money',
    person_id String COMMENT 'The human, by all links known now',
    model String COMMENT 'Journey model; empty: the KPI does not depend on one',
    cycle UInt32 COMMENT 'How often the journey has begun, from 1; 0: the KPI does not depend on it',
    phase String COMMENT 'What a survey says it is about',
    channel String COMMENT 'Where it happened',
    channel_group LowCardinality(String) COMMENT 'What brought the visit, by group',
    traffic_source LowCardinality(String) COMMENT 'What brought the visit',
    campaign String COMMENT 'What brought the visit',
    device LowCardinality(String) COMMENT 'Of the visit',
    country LowCardinality(String) COMMENT 'Of the visit',
    segment String COMMENT 'Of the person'
)
AS
SELECT o.site AS site, o.kpi AS kpi, o.at AS at, o.value AS value, o.currency AS currency,
    o.person_id AS person_id, o.model AS model, o.cycle AS cycle, o.phase AS phase,
    o.channel AS channel, s.channel_group AS channel_group, s.traffic_source AS traffic_source,
    s.campaign AS campaign, s.device AS device, s.country AS country, s.segment AS segment
FROM
(
    SELECT toString(site) AS site, toString(survey) AS kpi, at, value, '' AS currency, person_id,
        session_id, toString(channel) AS channel, '' AS model, toUInt32(0) AS cycle, phase
    FROM survey_answers
    UNION ALL
    SELECT toString(site), 'conversion_rate', started_at, if(ordered_at IS NULL, 0., 100.), '',
        person_id, session_id, toString(channel), toString(model), cycle, ''
    FROM journeys
    UNION ALL
    SELECT toString(site), 'hours_to_purchase', started_at,
        dateDiff('millisecond', started_at, assumeNotNull(ordered_at)) / 3600000, '', person_id,
        session_id, toString(channel), toString(model), cycle, ''
    FROM journeys
    WHERE ordered_at IS NOT NULL
    UNION ALL
    SELECT toString(j.site), 'cycles_per_person', min(j.started_at), toFloat64(count()), '',
        j.person_id, argMin(j.session_id, j.started_at),
        toString(argMin(j.channel, j.started_at)), toString(j.model), toUInt32(0), ''
    FROM journeys AS j
    GROUP BY j.site, j.model, j.person_id
    UNION ALL
    SELECT toString(site), found.1, started_at, toFloat64(found.2), '', person_id, session_id,
        toString(channel), '', toUInt32(0), ''
    FROM session_slices
    ARRAY JOIN arrayFilter(one -> one.3, [
        ('visits', 1, true),
        ('branded_search', 1, is_branded),
        ('direct_traffic', 1, channel_group = 'Direct'),
        ('cart_abandonment_rate', 100 * (orders = 0), has(steps, 'Product Added')),
        ('session_conversion_rate', 100 * (orders > 0), true),
        ('returning_visitors', 1, number > 1)
    ]) AS found
    UNION ALL
    SELECT toString(site), 'dwell_time', at, seconds, '', person_id, session_id, toString(channel),
        '', toUInt32(0), ''
    FROM page_dwells
    UNION ALL
    SELECT toString(t.site), 'conversations', min(t.occurred_at), 1., '', any(t.person_id),
        t.session_id, toString(argMin(t.channel, (t.occurred_at, t.turn, t.touchpoint_id))), '', toUInt32(0), ''
    FROM person_touchpoints AS t
    WHERE NOT t.is_bot AND (
        (
            t.channel IN ('phone', 'chat', 'messenger', 'support')
            AND t.name NOT IN ('Recommendation Made', 'Product Shared')
        )
        OR t.name IN ('Support Contacted', 'Chat Started', 'Phone Call Received', 'Complaint Made')
    )
    GROUP BY t.site, t.session_id
    UNION ALL
    SELECT toString(p.site), 'customer_lifetime_value', min(p.ordered_at),
        toFloat64(sum(p.revenue)), toString(p.currency), p.person_id,
        argMin(p.session_id, p.ordered_at), toString(argMin(p.channel, p.ordered_at)), '',
        toUInt32(0), ''
    FROM purchases AS p
    GROUP BY p.site, p.person_id, p.currency
    UNION ALL
    SELECT toString(p.site), 'repeat_purchase_rate', min(p.ordered_at),
        if(uniqExact(toDate(p.ordered_at)) > 1, 100., 0.), '', p.person_id,
        argMin(p.session_id, p.ordered_at), toString(argMin(p.channel, p.ordered_at)), '',
        toUInt32(0), ''
    FROM purchases AS p
    GROUP BY p.site, p.person_id
    UNION ALL
    SELECT toString(site), if(name = 'Product Reviewed', 'reviews', 'recommendations'),
        occurred_at, 1., '', person_id, session_id, toString(channel), '', toUInt32(0), ''
    FROM person_touchpoints
    WHERE name IN ('Product Reviewed', 'Recommendation Made') AND NOT is_bot
) AS o
LEFT JOIN session_slices AS s ON o.site = s.site AND o.session_id = s.session_id
COMMENT 'One row for everything a KPI counts, with all its slices';

CREATE VIEW kpis
(
    site LowCardinality(String) COMMENT 'Shop or brand',
    kpi String COMMENT 'Id of the KPI',
    model String COMMENT 'Journey model; empty: the KPI does not depend on one',
    currency String COMMENT 'Of money',
    value Float64 COMMENT 'The KPI, in its unit',
    observations UInt64 COMMENT 'How many it is made of',
    unit String COMMENT '%, points, h, s, per person, money or count',
    levels Array(String) COMMENT 'journey, or phases that it tells about',
    en String COMMENT 'Label in English',
    de String COMMENT 'Label in German'
)
AS
SELECT o.site AS site, o.kpi AS kpi, o.model AS model, o.currency AS currency,
    multiIf(
        d.reading = 'sum', sum(o.value),
        d.reading = 'median', medianExact(o.value),
        d.reading = 'people', toFloat64(uniqExact(o.person_id)),
        avg(o.value)
    ) AS value,
    count() AS observations, d.unit AS unit, d.levels AS levels, d.en AS en, d.de AS de
FROM kpi_observations AS o
INNER JOIN kpi_definitions AS d ON d.kpi = o.kpi
GROUP BY site, kpi, model, currency, d.reading, unit, levels, en, de
COMMENT 'All KPIs of all time; for a slice, group kpi_observations in the same way';

-- --- KPIs of one touchpoint ----------------------------------------------------------------------

CREATE VIEW touchpoint_flow
(
    site LowCardinality(String) COMMENT 'Shop or brand',
    at DateTime64(3, 'UTC') COMMENT 'When it happened',
    person_id String COMMENT 'The human, by all links known now',
    session_id String COMMENT 'The session it happened in',
    name LowCardinality(String) COMMENT 'Of the touchpoint',
    channel LowCardinality(String) COMMENT 'Where it happened',
    is_exit Bool COMMENT 'It is the last one of its session',
    next_name String COMMENT 'The next one of the session; empty: none',
    waiting_seconds Nullable(Float64) COMMENT 'As the sender measured it; null: it did not',
    has_complaint Bool COMMENT 'A complaint of the same person came next, within a day',
    satisfaction Nullable(Float64) COMMENT 'From 0 to 100: rated by itself or by a survey that came next, within a day'
)
AS
WITH
    multiIf(
        name != 'Survey Answered' AND JSONHas(properties, 'rating'),
        toNullable(25 * (JSONExtractFloat(properties, 'rating') - 1)),
        name != 'Survey Answered', NULL,
        lower(if(
            JSONHas(properties, 'kind'),
            JSONExtractString(properties, 'kind'),
            JSONExtractString(properties, 'survey')
        )) = 'nps',
        10 * JSONExtractFloat(properties, 'score'),
        25 * (JSONExtractFloat(properties, 'score') - 1)
    ) AS rated
SELECT site, occurred_at AS at, person_id, session_id, name, channel,
    leadInFrame(touchpoint_id) OVER within = '' AS is_exit,
    toString(leadInFrame(name) OVER within) AS next_name,
    multiIf(
        JSONHas(properties, 'waiting_seconds'),
        toNullable(JSONExtractFloat(properties, 'waiting_seconds')),
        JSONHas(properties, 'lcp_ms'), JSONExtractFloat(properties, 'lcp_ms') / 1000,
        NULL
    ) AS waiting_seconds,
    leadInFrame(name) OVER later = 'Complaint Made'
        AND leadInFrame(occurred_at) OVER later <= occurred_at + INTERVAL 1 DAY AS has_complaint,
    coalesce(rated, if(
        leadInFrame(name) OVER later = 'Survey Answered'
        AND leadInFrame(occurred_at) OVER later <= occurred_at + INTERVAL 1 DAY,
        leadInFrame(rated) OVER later,
        NULL
    )) AS satisfaction
FROM person_touchpoints
WHERE NOT is_bot
WINDOW
    within AS (
        PARTITION BY site, session_id ORDER BY occurred_at, turn, touchpoint_id
        ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING
    ),
    later AS (
        PARTITION BY site, person_id ORDER BY occurred_at, turn, touchpoint_id
        ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING
    )
COMMENT 'Each touchpoint with what came after it: what touchpoint_kpis is made of';

CREATE VIEW touchpoint_kpis
(
    site LowCardinality(String) COMMENT 'Shop or brand',
    name LowCardinality(String) COMMENT 'Of the touchpoint',
    channel LowCardinality(String) COMMENT 'Where it happened',
    volume UInt64 COMMENT 'How many',
    people UInt64 COMMENT 'Of how many people',
    exit_rate Float64 COMMENT '% that were the last of their session',
    median_waiting_seconds Nullable(Float64) COMMENT 'Of those that were measured; null: none was',
    satisfaction Nullable(Float64) COMMENT 'Mean from 0 to 100; null: nobody said',
    complaints UInt64 COMMENT 'How many came next',
    next_touchpoint String COMMENT 'What came next most often; empty: nothing ever did',
    next_rate Float64 COMMENT '% after which that one came'
)
AS
SELECT f.site AS site, f.name AS name, f.channel AS channel, sum(f.times) AS volume,
    uniqExactMerge(f.persons) AS people, 100 * sum(f.exits) / volume AS exit_rate,
    medianExactMerge(f.waits) AS median_waiting_seconds,
    sum(f.satisfied) / nullIf(sum(f.answers), 0) AS satisfaction,
    sum(f.complaining) AS complaints,
    argMax(f.next_name, (if(f.next_name = '', 0, f.times), f.next_name)) AS next_touchpoint,
    100 * maxIf(f.times, f.next_name != '') / volume AS next_rate
FROM
(
    SELECT site, name, channel, next_name, count() AS times,
        uniqExactState(person_id) AS persons, countIf(is_exit) AS exits,
        medianExactState(waiting_seconds) AS waits, sum(satisfaction) AS satisfied,
        count(satisfaction) AS answers, countIf(has_complaint) AS complaining
    FROM touchpoint_flow
    GROUP BY site, name, channel, next_name
) AS f
GROUP BY site, name, channel
COMMENT 'KPIs of every touchpoint by name and channel';
