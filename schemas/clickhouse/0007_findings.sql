-- Where people give up, wait or complain; what the models ask for; what comes, and over which
-- channels people go. Bots are left out everywhere. A person is the one known now.

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
    phase      LowCardinality(String) COMMENT 'What its touchpoints are evidence for',
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
    name        LowCardinality(String) COMMENT 'Of the touchpoint',
    channel     LowCardinality(String) COMMENT 'Where it happened',
    first_seen  SimpleAggregateFunction(min, DateTime64(3, 'UTC')) COMMENT 'Time of the first one',
    last_seen   SimpleAggregateFunction(max, DateTime64(3, 'UTC')) COMMENT 'Time of the last one',
    touchpoints AggregateFunction(uniq, String, String) COMMENT 'State of inventory.touchpoints',
    visitors    AggregateFunction(uniq, String) COMMENT 'State of inventory.visitors'
)
ENGINE = AggregatingMergeTree
ORDER BY (site, name, channel)
SETTINGS non_replicated_deduplication_window = 10000
COMMENT 'What the view inventory is made of';

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
    name LowCardinality(String) COMMENT 'Of the touchpoint',
    channel LowCardinality(String) COMMENT 'Where it happened',
    first_seen SimpleAggregateFunction(min, DateTime64(3, 'UTC')) COMMENT 'Time of the first one',
    last_seen SimpleAggregateFunction(max, DateTime64(3, 'UTC')) COMMENT 'Time of the last one',
    touchpoints UInt64 COMMENT 'How many; an estimate above some ten thousand',
    visitors UInt64 COMMENT 'How many; an estimate above some ten thousand',
    phases Array(Tuple(
    model String,
    phase String)) COMMENT 'What the journey models take it as evidence for',
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
    model String COMMENT 'Journey model; empty for what none declares',
    phase String COMMENT 'What it would be evidence for; empty for what none declares',
    name LowCardinality(String) COMMENT 'Of the touchpoint',
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
COMMENT 'Declared and silent, or seen and undeclared';

-- --- phases --------------------------------------------------------------------------------------

CREATE VIEW stays
(
    site LowCardinality(String) COMMENT 'Shop or brand',
    model LowCardinality(String) COMMENT 'Journey model',
    person_id String COMMENT 'The human, by all links known now',
    cycle UInt32 COMMENT 'How often the journey has begun, from 1',
    phase LowCardinality(String) COMMENT 'Where the person is or was',
    channel LowCardinality(String) COMMENT 'Of the touchpoint that led there',
    session_id String COMMENT 'The session it happened in',
    entered_at DateTime64(3, 'UTC') COMMENT 'When it began',
    left_at Nullable(DateTime64(3, 'UTC')) COMMENT 'When it ended; null: it goes on',
    next_phase String COMMENT 'Where it led to; empty: it goes on',
    moved_on Bool COMMENT 'It led to a later phase of the same cycle',
    seconds UInt64 COMMENT 'How long it lasted, or has lasted until now'
)
AS
SELECT t.site AS site, t.model AS model, t.person_id AS person_id, t.cycle AS cycle,
    t.to_phase AS phase, t.channel AS channel, t.session_id AS session_id, t.at AS entered_at,
    leadInFrame(toNullable(t.at)) OVER later AS left_at,
    leadInFrame(t.to_phase) OVER later AS next_phase,
    leadInFrame(t.kind) OVER later IN ('forward', 'skip') AS moved_on,
    toUInt64(greatest(0, dateDiff('second', t.at, coalesce(left_at, now64(3))))) AS seconds
FROM person_transitions AS t
WHERE (t.site, t.session_id) NOT IN (SELECT site, session_id FROM sessions FINAL WHERE is_bot)
WINDOW later AS (
    PARTITION BY t.site, t.model, t.person_id ORDER BY t.at, t.turn, t.touchpoint_id
    ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING
)
COMMENT 'From entering a phase of a model to leaving it';

CREATE VIEW phase_touchpoints
(
    site LowCardinality(String) COMMENT 'Shop or brand',
    model String COMMENT 'Journey model',
    phase LowCardinality(String) COMMENT 'Where the person was, with this touchpoint counted',
    cycle UInt32 COMMENT 'How often the journey has begun, from 1',
    person_id String COMMENT 'The human, by all links known now',
    session_id String COMMENT 'The session it happened in',
    entered_at DateTime64(3, 'UTC') COMMENT 'When the person came into the phase',
    left_at Nullable(DateTime64(3, 'UTC')) COMMENT 'When the person left it; null: it goes on',
    moved_on UInt8 COMMENT 'Left for a later phase of the same cycle',
    touchpoint_id String COMMENT 'The event id its sender gave it',
    occurred_at DateTime64(3, 'UTC') COMMENT 'When it happened',
    name LowCardinality(String) COMMENT 'Of the touchpoint',
    channel LowCardinality(String) COMMENT 'Where it happened',
    properties String COMMENT 'JSON object, as sent'
)
AS
SELECT t.site AS site, t.model AS model, s.phase AS phase, s.cycle AS cycle,
    t.person_id AS person_id, t.session_id AS session_id, s.entered_at AS entered_at,
    s.left_at AS left_at, s.moved_on AS moved_on, t.touchpoint_id AS touchpoint_id, t.occurred_at AS occurred_at, t.name AS name,
    t.channel AS channel, t.properties AS properties
FROM
(
    SELECT site, person_id, session_id, touchpoint_id, occurred_at, name, channel, properties, model
    FROM person_touchpoints
    ARRAY JOIN (SELECT groupUniqArray(model) FROM transitions) AS model
    WHERE NOT is_bot
) AS t
ASOF INNER JOIN
(
    SELECT site, model, person_id, phase, cycle, entered_at, left_at, moved_on FROM stays
) AS s
    ON t.site = s.site AND t.model = s.model AND t.person_id = s.person_id
    AND t.occurred_at >= s.entered_at
COMMENT 'Touchpoints with the phase of each model in which they happened';

-- --- weak points ---------------------------------------------------------------------------------

-- A place is a phase, a step or a page. What happens elsewhere (a call, a complaint) belongs to the
-- step and the page that the person saw last, if that was within a day.
CREATE VIEW friction
(
    site LowCardinality(String) COMMENT 'Shop or brand',
    model String COMMENT 'Journey model of a phase; empty for steps and pages',
    kind String COMMENT 'phase, step or page',
    place String COMMENT 'Which one',
    at DateTime64(3, 'UTC') COMMENT 'When it happened',
    person_id String COMMENT 'The human, by all links known now',
    what String COMMENT 'visit, abandonment, support, complaint or feedback',
    seconds Float64 COMMENT 'Time lost: waited, or spent on what was then abandoned'
)
AS
WITH
    multiIf(
        name IN ('Support Contacted', 'Chat Started', 'Phone Call Received'), 'support',
        name = 'Complaint Made', 'complaint',
        name = 'Feedback Noted', 'feedback',
        'visit'
    ) AS what,
    greatest(0, if(
        JSONHas(properties, 'waiting_seconds'),
        JSONExtractFloat(properties, 'waiting_seconds'),
        JSONExtractFloat(properties, 'lcp_ms') / 1000
    )) AS seconds
SELECT toString(site) AS site, '' AS model, found.1 AS kind, found.2 AS place, occurred_at AS at,
    person_id, what, seconds
FROM
(
    SELECT site, person_id, occurred_at, name, properties,
        last_value(nullIf(path, '')) OVER before AS page,
        last_value(if(path = '', NULL, occurred_at)) OVER before AS page_at,
        last_value(if(is_step, toString(name), NULL)) OVER before AS step,
        last_value(if(is_step, occurred_at, NULL)) OVER before AS step_at
    FROM
    (
        SELECT site, person_id, touchpoint_id, occurred_at, turn, name, path, properties,
            name IN (SELECT step FROM journey_steps FINAL) AS is_step
        FROM person_touchpoints
        WHERE NOT is_bot
    )
    WINDOW before AS (
        PARTITION BY site, person_id ORDER BY occurred_at, turn, touchpoint_id
        ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
    )
)
ARRAY JOIN [
    ('page', if(page_at >= occurred_at - INTERVAL 1 DAY, assumeNotNull(page), '')),
    ('step', multiIf(
        what = 'feedback' AND JSONHas(properties, 'touchpoint'),
        JSONExtractString(properties, 'touchpoint'),
        step_at >= occurred_at - INTERVAL 1 DAY, assumeNotNull(step),
        ''
    ))
] AS found
WHERE place != ''
UNION ALL
SELECT toString(site), toString(model), 'phase', toString(phase), occurred_at, person_id, what,
    seconds
FROM phase_touchpoints
WHERE NOT (what = 'feedback' AND JSONHas(properties, 'phase'))
UNION ALL
SELECT toString(n.site), toString(m.model), 'phase', toString(m.phase), n.occurred_at, n.visitor_id,
    'feedback', 0.
FROM (SELECT * FROM touchpoints FINAL WHERE name = 'Feedback Noted' AND NOT is_bot) AS n
INNER JOIN (SELECT model, phase FROM journey_models FINAL) AS m
    ON m.phase = JSONExtractString(n.properties, 'phase')
UNION ALL
SELECT toString(a.site), '', found.1, found.2, a.abandoned_at, a.person_id, 'abandonment',
    toFloat64(dateDiff('second', a.opened_at, a.last_touchpoint_at))
FROM person_abandonments AS a
ARRAY JOIN [('page', toString(a.last_path)), ('step', toString(a.step))] AS found
WHERE found.2 != ''
    AND (a.site, a.session_id) NOT IN (SELECT site, session_id FROM sessions FINAL WHERE is_bot)
UNION ALL
SELECT toString(a.site), toString(a.model), 'phase', toString(s.phase), a.abandoned_at, a.person_id,
    'abandonment', toFloat64(dateDiff('second', a.opened_at, a.last_touchpoint_at))
FROM
(
    SELECT site, person_id, opened_at, last_touchpoint_at, abandoned_at, model
    FROM (SELECT * EXCEPT model FROM person_abandonments)
    ARRAY JOIN (SELECT groupUniqArray(model) FROM transitions) AS model
) AS a
ASOF INNER JOIN (SELECT site, model, person_id, phase, entered_at FROM stays) AS s
    ON a.site = s.site AND a.model = s.model AND a.person_id = s.person_id
    AND a.last_touchpoint_at >= s.entered_at
COMMENT 'Everything that happened at a place, and the time it cost: what weak_points is made of';

CREATE VIEW weak_points
(
    site LowCardinality(String) COMMENT 'Shop or brand',
    model String COMMENT 'Journey model of a phase; empty for steps and pages',
    kind String COMMENT 'phase, step or page',
    place String COMMENT 'Which one',
    people UInt64 COMMENT 'How many came there',
    abandonments UInt64 COMMENT 'How many ended there, also those that were recovered',
    support_contacts UInt64 COMMENT 'How often help was asked for',
    complaints UInt64 COMMENT 'How many',
    feedback UInt64 COMMENT 'Notes of the staff',
    seconds_lost Float64 COMMENT 'Time waited, or spent on what was then abandoned',
    score Float64 COMMENT 'Abandonments, support contacts, complaints and notes per hundred people',
    seconds_lost_per_person Float64 COMMENT 'seconds_lost by people',
    rank UInt64 COMMENT 'By score within site, model and kind; 1 is the weakest',
    rank_by_time UInt64 COMMENT 'The same by seconds_lost_per_person'
)
AS
SELECT *,
    row_number() OVER (
        PARTITION BY site, model, kind ORDER BY score DESC, people DESC, place
    ) AS rank,
    row_number() OVER (
        PARTITION BY site, model, kind ORDER BY seconds_lost_per_person DESC, people DESC, place
    ) AS rank_by_time
FROM
(
    SELECT site, model, kind, place,
        uniqExactIf(person_id, what != 'feedback') AS people,
        countIf(what = 'abandonment') AS abandonments,
        countIf(what = 'support') AS support_contacts,
        countIf(what = 'complaint') AS complaints,
        countIf(what = 'feedback') AS feedback,
        sum(seconds) AS seconds_lost,
        100 * countIf(what != 'visit') / greatest(people, 1) AS score,
        seconds_lost / greatest(people, 1) AS seconds_lost_per_person
    FROM friction
    GROUP BY site, model, kind, place
)
COMMENT 'Phases, steps and pages, the weakest first';

CREATE VIEW staff_feedback
(
    site LowCardinality(String) COMMENT 'Shop or brand',
    department String COMMENT 'Whom it concerns',
    phase String COMMENT 'As noted',
    touchpoint String COMMENT 'As noted',
    notes UInt64 COMMENT 'How many',
    last_at DateTime64(3, 'UTC') COMMENT 'Time of the last one'
)
AS
SELECT t.site AS site,
    JSONExtractString(t.properties, 'department') AS department,
    JSONExtractString(t.properties, 'phase') AS phase,
    JSONExtractString(t.properties, 'touchpoint') AS touchpoint,
    count() AS notes,
    max(t.occurred_at) AS last_at
FROM (SELECT * FROM touchpoints FINAL WHERE NOT is_bot) AS t
WHERE t.name = 'Feedback Noted'
GROUP BY site, department, phase, touchpoint
COMMENT 'What staff hear, counted; their words stay in touchpoints';

-- --- minimum standards ---------------------------------------------------------------------------

CREATE VIEW waits
(
    site LowCardinality(String) COMMENT 'Shop or brand',
    person_id String COMMENT 'The human, by all links known now',
    channel LowCardinality(String) COMMENT 'Where the wait ended',
    name LowCardinality(String) COMMENT 'Of the touchpoint that ended it',
    at DateTime64(3, 'UTC') COMMENT 'When it ended',
    seconds Float64 COMMENT 'As the sender measured it, or from the order to its arrival'
)
AS
SELECT t.site AS site, t.person_id AS person_id, t.channel AS channel, t.name AS name,
    t.occurred_at AS at,
    if(
        JSONHas(t.properties, 'waiting_seconds'),
        JSONExtractFloat(t.properties, 'waiting_seconds'),
        JSONExtractFloat(t.properties, 'lcp_ms') / 1000
    ) AS seconds
FROM person_touchpoints AS t
WHERE NOT t.is_bot AND seconds > 0
UNION ALL
SELECT t.site, t.person_id, t.channel, t.name, t.occurred_at,
    toFloat64(greatest(0, dateDiff('second', o.ordered_at, t.occurred_at)))
FROM
(
    SELECT *, JSONExtractString(properties, 'order_id') AS order_arriving
    FROM person_touchpoints
    WHERE name IN ('Order Delivered', 'Order Picked Up') AND NOT is_bot
) AS t
INNER JOIN
(
    SELECT site, order_id, min(occurred_at) AS ordered_at
    FROM touchpoints FINAL
    WHERE name = 'Order Completed' AND order_id != ''
    GROUP BY site, order_id
) AS o ON o.site = t.site AND o.order_id = t.order_arriving
COMMENT 'How long people waited';

CREATE VIEW breaches
(
    site LowCardinality(String) COMMENT 'Shop or brand',
    model LowCardinality(String) COMMENT 'Journey model that sets the standard',
    kind String COMMENT 'phase: it lasted too long; wait: in a channel',
    place LowCardinality(String) COMMENT 'Which phase or channel',
    person_id String COMMENT 'The human, by all links known now',
    at DateTime64(3, 'UTC') COMMENT 'When the standard was broken',
    seconds Float64 COMMENT 'How long it lasted, or has lasted until now',
    max_seconds UInt64 COMMENT 'What the standard allows',
    is_open Bool COMMENT 'The person is still in that phase'
)
AS
SELECT s.site AS site, s.model AS model, 'phase' AS kind, toString(s.phase) AS place,
    s.person_id AS person_id, addSeconds(s.entered_at, m.max_seconds) AS at,
    toFloat64(s.seconds) AS seconds, m.max_seconds AS max_seconds, s.left_at IS NULL AS is_open
FROM stays AS s
INNER JOIN (SELECT * FROM journey_models FINAL WHERE max_seconds > 0) AS m
    ON m.model = s.model AND m.phase = s.phase
WHERE s.seconds > m.max_seconds
UNION ALL
SELECT w.site, m.model, 'wait', toString(w.channel), w.person_id,
    w.at - toIntervalMillisecond(round(1000 * (w.seconds - m.max_seconds))), w.seconds,
    m.max_seconds, false
FROM waits AS w
INNER JOIN (SELECT * FROM journey_waits FINAL WHERE max_seconds > 0) AS m ON m.channel = w.channel
WHERE w.seconds > m.max_seconds
COMMENT 'Minimum standards that were not kept: phases too long, waits too long';

-- --- channels ------------------------------------------------------------------------------------

CREATE VIEW channel_crossings
(
    site LowCardinality(String) COMMENT 'Shop or brand',
    person_id String COMMENT 'The human, by all links known now',
    from_channel String COMMENT 'The channel before; empty: the journey begins',
    to_channel LowCardinality(String) COMMENT 'The channel after',
    left_at Nullable(DateTime64(3, 'UTC')) COMMENT 'Last touchpoint before; null: the journey begins',
    arrived_at DateTime64(3, 'UTC') COMMENT 'First touchpoint after',
    is_last Bool COMMENT 'The person has not changed channel since',
    has_ordered Bool COMMENT 'The person has ever ordered'
)
AS
SELECT site, person_id, from_channel, to_channel, left_at, arrived_at,
    leadInFrame(false, 1, true) OVER later AS is_last, has_ordered
FROM
(
    SELECT site, person_id, channel AS to_channel, occurred_at AS arrived_at, turn, touchpoint_id,
        lagInFrame(channel) OVER earlier AS from_channel,
        lagInFrame(toNullable(occurred_at)) OVER earlier AS left_at,
        max(name = 'Order Completed') OVER (PARTITION BY site, person_id) = 1 AS has_ordered
    FROM person_touchpoints
    WHERE NOT is_bot
    WINDOW earlier AS (
        PARTITION BY site, person_id ORDER BY occurred_at, turn, touchpoint_id
        ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING
    )
)
WHERE from_channel != to_channel
WINDOW later AS (
    PARTITION BY site, person_id ORDER BY arrived_at, turn, touchpoint_id
    ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING
)
COMMENT 'Every change of channel of every person, and the channel they began in';

CREATE VIEW channel_changes
(
    site LowCardinality(String) COMMENT 'Shop or brand',
    from_channel String COMMENT 'The channel before; empty: the journey begins',
    to_channel LowCardinality(String) COMMENT 'The channel after',
    people UInt64 COMMENT 'How many crossed',
    crossings UInt64 COMMENT 'How often',
    median_seconds Nullable(Int64) COMMENT 'From the last touchpoint before to the first one after',
    lost UInt64 COMMENT 'People who crossed, went nowhere else and never ordered'
)
AS
SELECT c.site AS site, c.from_channel AS from_channel, c.to_channel AS to_channel,
    uniqExact(c.person_id) AS people, count() AS crossings,
    medianExact(dateDiff('second', c.left_at, c.arrived_at)) AS median_seconds,
    uniqExactIf(c.person_id, c.is_last AND NOT c.has_ordered) AS lost
FROM channel_crossings AS c
GROUP BY site, from_channel, to_channel
COMMENT 'From channel to channel: people, time and losses';

CREATE VIEW channel_paths
(
    site LowCardinality(String) COMMENT 'Shop or brand',
    path Array(String) COMMENT 'Channels in order, the first ten',
    people UInt64 COMMENT 'How many went this way',
    buyers UInt64 COMMENT 'How many of them ordered',
    median_seconds Int64 COMMENT 'From the first channel to the last'
)
AS
SELECT p.site AS site, p.way AS path, count() AS people, countIf(p.has_ordered) AS buyers,
    medianExact(p.lasted) AS median_seconds
FROM
(
    SELECT site, person_id, any(has_ordered) AS has_ordered,
        arraySlice(arrayMap(c -> c.2, arraySort(groupArray((arrived_at, to_channel)))), 1, 10) AS way,
        dateDiff('second', min(arrived_at), max(arrived_at)) AS lasted
    FROM channel_crossings
    GROUP BY site, person_id
) AS p
GROUP BY site, path
COMMENT 'Ways of people over channels, such as newsletter, website, shop, store';
