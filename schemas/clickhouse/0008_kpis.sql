-- KPIs on three levels: the journey, its phases, one touchpoint. docs/kpis.md defines each.

CREATE TABLE segment_states
(
    site       LowCardinality(String) COMMENT 'Shop or brand',
    visitor_id String COMMENT 'The device, or user:<id> without one',
    segment    AggregateFunction(argMax, String, Tuple(DateTime64(3, 'UTC'), UInt64, String)) COMMENT 'State of the newest one said'
)
ENGINE = AggregatingMergeTree
ORDER BY (site, visitor_id)
SETTINGS non_replicated_deduplication_window = 10000
COMMENT 'The segments that visitors reported';

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

CREATE VIEW kpi_definitions
(
    kpi String COMMENT 'Id of the KPI',
    levels Array(String) COMMENT 'journey, or the phases of the models canvas and lifecycle that it describes',
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
        ('nps', ['journey', 'loyalty'], 'mean', 'points', 'Net promoter score', 'Weiterempfehlungsbereitschaft (NPS)', '% of answers 9 to 10 minus % of answers 0 to 6, on a scale of 0 to 10'),
        ('csat', ['journey', 'loyalty'], 'mean', '%', 'Customer satisfaction', 'Kundenzufriedenheit (CSAT)', '% of answers 4 to 5, on a scale of 1 to 5'),
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
        ('customer_lifetime_value', ['service', 'retention'], 'mean', 'money', 'Customer lifetime value', 'Kundenwert', 'revenue so far less refunds ÷ customers, in each currency'),
        ('reviews', ['loyalty', 'advocacy'], 'sum', 'count', 'Reviews', 'Bewertungen', 'touchpoints Product Reviewed'),
        ('recommendations', ['loyalty', 'advocacy'], 'sum', 'count', 'Recommendations', 'Empfehlungen', 'touchpoints Recommendation Made'),
        ('repeat_purchase_rate', ['loyalty', 'advocacy'], 'mean', '%', 'Repeat purchase rate', 'Wiederkaufrate', 'customers who ordered on two or more days ÷ customers')
    ]) AS d
)
COMMENT 'What each KPI is; docs/kpis.md says more';
