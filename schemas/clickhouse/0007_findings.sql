-- What the models ask for, and what comes. Bots are left out.

-- --- what the model files say, written by `touchstream migrate` ----------------------------------

CREATE TABLE journey_models
(
    model         LowCardinality(String) COMMENT 'Journey model',
    model_version LowCardinality(String) COMMENT 'As its file says',
    phase         LowCardinality(String) COMMENT 'A phase of the model',
    rank          UInt8 COMMENT 'Place in the order of its model, from 1',
    en            String COMMENT 'Label in English',
    de            String COMMENT 'Label in German',
    max_seconds   UInt64 COMMENT 'Minimum standard: longest duration or wait; 0: none',
    needs         String COMMENT 'Canvas: what customers need here',
    key_moment    String COMMENT 'Canvas: the moment that decides',
    picture       String COMMENT 'Canvas: address of a picture of it',
    team          String COMMENT 'Canvas: what the team does here',
    revision      UInt32 COMMENT 'Grows when the model files change',
    is_deleted    UInt8 COMMENT '1: no longer in any model file'
)
ENGINE = ReplacingMergeTree(revision, is_deleted)
ORDER BY (model, phase)
SETTINGS non_replicated_deduplication_window = 100
COMMENT 'Phases of the journey models in use, from their files';

CREATE TABLE journey_rules
(
    model      LowCardinality(String) COMMENT 'Journey model',
    rule       LowCardinality(String) COMMENT 'A rule of the model',
    phase      LowCardinality(String) COMMENT 'The phase its touchpoints are evidence for',
    touchpoint LowCardinality(String) COMMENT 'Name of a touchpoint',
    channels   Array(LowCardinality(String)) COMMENT 'Where it must happen; empty: anywhere',
    history    LowCardinality(String) COMMENT 'What must have happened before',
    revision   UInt32 COMMENT 'Grows when the model files change',
    is_deleted UInt8 COMMENT '1: no longer in any model file'
)
ENGINE = ReplacingMergeTree(revision, is_deleted)
ORDER BY (model, rule, touchpoint)
SETTINGS non_replicated_deduplication_window = 100
COMMENT 'Touchpoints that the journey models declare, from their files';

CREATE TABLE journey_steps
(
    model      LowCardinality(String) COMMENT 'Journey model',
    step       LowCardinality(String) COMMENT 'Name of a touchpoint',
    place      UInt8 COMMENT 'Place in the funnel of its model, from 1; 0: it only opens something',
    revision   UInt32 COMMENT 'Grows when the model files change',
    is_deleted UInt8 COMMENT '1: no longer in any model file'
)
ENGINE = ReplacingMergeTree(revision, is_deleted)
ORDER BY (model, step)
SETTINGS non_replicated_deduplication_window = 100
COMMENT 'Steps of the funnels, and what opens something that can be abandoned, from the model files';

CREATE TABLE journey_waits
(
    model       LowCardinality(String) COMMENT 'Journey model',
    channel     LowCardinality(String) COMMENT 'Where people wait',
    max_seconds UInt64 COMMENT 'Minimum standard: longest duration or wait; 0: none',
    revision    UInt32 COMMENT 'Grows when the model files change',
    is_deleted  UInt8 COMMENT '1: no longer in any model file'
)
ENGINE = ReplacingMergeTree(revision, is_deleted)
ORDER BY (model, channel)
SETTINGS non_replicated_deduplication_window = 100
COMMENT 'Longest waits by channel that the journey models allow, from their files';

-- --- inventory -----------------------------------------------------------------------------------

CREATE TABLE inventory_states
(
    site        LowCardinality(String) COMMENT 'Shop or brand',
    name        LowCardinality(String) COMMENT 'Name of the touchpoint',
    channel     LowCardinality(String) COMMENT 'Where it happened',
    first_seen  SimpleAggregateFunction(min, DateTime64(3, 'UTC')) COMMENT 'Time of the first one',
    last_seen   SimpleAggregateFunction(max, DateTime64(3, 'UTC')) COMMENT 'Time of the last one',
    touchpoints AggregateFunction(uniq, String, String) COMMENT 'State of inventory.touchpoints',
    visitors    AggregateFunction(uniq, String) COMMENT 'State of inventory.visitors'
)
ENGINE = AggregatingMergeTree
ORDER BY (site, name, channel)
SETTINGS non_replicated_deduplication_window = 10000
COMMENT 'The states behind the view inventory';

CREATE MATERIALIZED VIEW inventory_mv TO inventory_states AS
SELECT t.site AS site, t.name AS name, t.channel AS channel,
    min(t.occurred_at) AS first_seen,
    max(t.occurred_at) AS last_seen,
    uniqState(t.visitor_id, t.touchpoint_id) AS touchpoints,
    uniqState(t.visitor_id) AS visitors
FROM touchpoints AS t
WHERE NOT t.is_bot
GROUP BY site, name, channel;

CREATE VIEW inventory
(
    site LowCardinality(String) COMMENT 'Shop or brand',
    name LowCardinality(String) COMMENT 'Name of the touchpoint',
    channel LowCardinality(String) COMMENT 'Where it happened',
    first_seen SimpleAggregateFunction(min, DateTime64(3, 'UTC')) COMMENT 'Time of the first one',
    last_seen SimpleAggregateFunction(max, DateTime64(3, 'UTC')) COMMENT 'Time of the last one',
    touchpoints UInt64 COMMENT 'How many; an estimate above some ten thousand',
    visitors UInt64 COMMENT 'How many; an estimate above some ten thousand',
    phases Array(Tuple(
    model String,
    phase String)) COMMENT 'The phases for which the journey models take it as evidence',
    is_declared Bool COMMENT 'A journey model names it'
)
AS
SELECT i.site AS site, i.name AS name, i.channel AS channel, i.first_seen AS first_seen,
    i.last_seen AS last_seen, i.touchpoints AS touchpoints, i.visitors AS visitors,
    arraySort(groupUniqArrayIf(
        CAST((r.model, r.phase), 'Tuple(model String, phase String)'),
        r.model != '' AND (empty(r.channels) OR has(r.channels, i.channel))
    )) AS phases,
    notEmpty(phases) AS is_declared
FROM
(
    SELECT s.site AS site, s.name AS name, s.channel AS channel, min(s.first_seen) AS first_seen,
        max(s.last_seen) AS last_seen, uniqMerge(s.touchpoints) AS touchpoints,
        uniqMerge(s.visitors) AS visitors
    FROM inventory_states AS s
    GROUP BY site, name, channel
) AS i
LEFT JOIN (SELECT * FROM journey_rules FINAL) AS r ON r.touchpoint = i.name
GROUP BY site, name, channel, first_seen, last_seen, touchpoints, visitors
COMMENT 'Every touchpoint by name and channel: the documentation of all steps, as they are';

CREATE VIEW inventory_gaps
(
    site LowCardinality(String) COMMENT 'Shop or brand',
    gap String COMMENT 'silent: declared and never seen; undeclared: seen and in no model',
    model String COMMENT 'Journey model; empty if none declares it',
    phase String COMMENT 'The phase it would be evidence for; empty if no model declares it',
    name LowCardinality(String) COMMENT 'Name of the touchpoint',
    channels Array(String) COMMENT 'Where it was declared or seen; empty: anywhere'
)
AS
SELECT d.site AS site, 'silent' AS gap, toString(d.model) AS model, toString(d.phase) AS phase,
    toString(d.touchpoint) AS name, CAST(d.channels, 'Array(String)') AS channels
FROM
(
    SELECT DISTINCT s.site AS site, r.model AS model, r.phase AS phase,
        r.touchpoint AS touchpoint, r.channels AS channels
    FROM (SELECT DISTINCT site FROM inventory_states) AS s
    CROSS JOIN (SELECT * FROM journey_rules FINAL) AS r
) AS d
LEFT JOIN
(
    SELECT site, name, groupUniqArray(channel) AS channels FROM inventory_states GROUP BY site, name
) AS seen ON seen.site = d.site AND seen.name = d.touchpoint
WHERE empty(seen.channels) OR (notEmpty(d.channels) AND NOT hasAny(seen.channels, d.channels))
UNION ALL
SELECT i.site, 'undeclared', '', '', toString(i.name),
    CAST(arraySort(groupUniqArray(i.channel)), 'Array(String)')
FROM inventory AS i
WHERE NOT i.is_declared
GROUP BY i.site, i.name
COMMENT 'Touchpoints that are declared but never seen, or seen but not declared';
