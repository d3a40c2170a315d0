-- The journey map: phases × channels. A cell counts people, so cells cannot be added up; that is why
-- '' stands for all channels and for everybody.

CREATE VIEW journey_map_rows
(
    site LowCardinality(String) COMMENT 'Shop or brand',
    model String COMMENT 'Journey model',
    phase LowCardinality(String) COMMENT 'A phase of the model',
    channel LowCardinality(String) COMMENT 'Where it happened',
    segment String COMMENT 'Of the person; empty: unknown',
    at DateTime64(3, 'UTC') COMMENT 'First touchpoint of this person there; of an answer or note, its own time',
    person_id String COMMENT 'The human, by all links known now',
    cycle UInt32 COMMENT 'How often the journey has begun, from 1',
    entered_at DateTime64(3, 'UTC') COMMENT 'When the person came into the phase',
    touchpoints UInt64 COMMENT 'How many; 0: an answer or a note about the phase',
    pain_points UInt64 COMMENT 'Abandonments, calls for help, complaints and notes of the staff',
    moved_on Bool COMMENT 'The stay led to a later phase of the same cycle',
    seconds Nullable(Int64) COMMENT 'How long the stay lasted; null: it goes on',
    satisfaction Nullable(Float64) COMMENT 'Answer on a scale from 0 to 100; null: no answer'
)
AS
SELECT toString(t.site) AS site, toString(t.model) AS model, toString(t.phase) AS phase,
    toString(t.channel) AS channel, t.segment AS segment, t.at AS at, t.person_id AS person_id,
    t.cycle AS cycle, t.entered_at AS entered_at, t.touchpoints AS touchpoints,
    t.pain_points AS pain_points, t.moved_on AS moved_on,
    dateDiff('second', t.entered_at, t.left_at) AS seconds,
    CAST(NULL, 'Nullable(Float64)') AS satisfaction
FROM
(
    SELECT p.site AS site, p.model AS model, p.phase AS phase, p.channel AS channel,
        p.person_id AS person_id, p.cycle AS cycle, p.entered_at AS entered_at,
        p.left_at AS left_at, p.moved_on AS moved_on, any(z.segment) AS segment, min(p.occurred_at) AS at, count() AS touchpoints,
        countIf(
            p.name IN (
                'Support Contacted', 'Chat Started', 'Phone Call Received', 'Complaint Made'
            ) OR (p.name = 'Feedback Noted' AND NOT JSONHas(p.properties, 'phase'))
        ) + sum(a.abandonments) AS pain_points
    FROM phase_touchpoints AS p
    LEFT JOIN session_slices AS z ON p.site = z.site AND p.session_id = z.session_id
    LEFT JOIN
    (
        SELECT site, last_touchpoint_id, count() AS abandonments
        FROM abandonments FINAL
        GROUP BY site, last_touchpoint_id
    ) AS a ON p.site = a.site AND p.touchpoint_id = a.last_touchpoint_id
    GROUP BY site, model, phase, channel, person_id, cycle, entered_at, left_at, moved_on
) AS t
UNION ALL
SELECT toString(p.site), toString(p.model), toString(p.phase), toString(p.channel), z.segment,
    v.at, v.person_id, p.cycle, p.entered_at, 0, 0, false, NULL, v.satisfaction
FROM phase_touchpoints AS p
INNER JOIN survey_answers AS v
    ON p.site = v.site AND p.person_id = v.person_id AND p.touchpoint_id = v.touchpoint_id
LEFT JOIN session_slices AS z ON p.site = z.site AND p.session_id = z.session_id
WHERE p.name = 'Survey Answered'
    AND (p.model, v.phase) NOT IN (SELECT model, phase FROM journey_models FINAL)
UNION ALL
SELECT toString(v.site), toString(m.model), toString(m.phase), toString(v.channel), z.segment,
    v.at, v.person_id, 0, v.at, 0, 0, false, NULL, v.satisfaction
FROM survey_answers AS v
INNER JOIN (SELECT model, phase FROM journey_models FINAL) AS m ON m.phase = v.phase
LEFT JOIN session_slices AS z ON v.site = z.site AND v.session_id = z.session_id
UNION ALL
SELECT toString(n.site), toString(m.model), toString(m.phase), toString(n.channel), '',
    n.occurred_at, n.visitor_id, 0, n.occurred_at, 0, 1, false, NULL, NULL
FROM (SELECT * FROM touchpoints FINAL WHERE name = 'Feedback Noted' AND NOT is_bot) AS n
INNER JOIN (SELECT model, phase FROM journey_models FINAL) AS m
    ON m.phase = JSONExtractString(n.properties, 'phase')
COMMENT 'What the map counts: people, channel by channel, in each stay, and their answers';

CREATE VIEW journey_map
(
    site LowCardinality(String) COMMENT 'Shop or brand',
    model String COMMENT 'Journey model',
    rank UInt8 COMMENT 'Place of the phase in the order of its model, from 1; 0: unknown',
    phase LowCardinality(String) COMMENT 'A phase of the model',
    de String COMMENT 'Its label in German',
    channel String COMMENT 'Where it happened; empty: all channels',
    segment String COMMENT 'Of the person; empty: everybody',
    people UInt64 COMMENT 'How many were there',
    touchpoints UInt64 COMMENT 'How many they had',
    went_on UInt64 COMMENT 'How many people went on to a later phase',
    conversion Nullable(Float64) COMMENT 'went_on in % of people',
    median_seconds Nullable(Int64) COMMENT 'In the phase, of those who left it; null: nobody did',
    pain_points UInt64 COMMENT 'Abandonments, calls for help, complaints and notes of the staff',
    satisfaction Nullable(Float64) COMMENT 'Mean answer on a scale from 0 to 100; null: none'
)
AS
SELECT r.site AS site, r.model AS model, any(m.rank) AS rank, r.phase AS phase, any(m.de) AS de,
    a_channel AS channel, a_segment AS segment,
    uniqExactIf(r.person_id, r.touchpoints > 0) AS people,
    sum(r.touchpoints) AS touchpoints,
    uniqExactIf(r.person_id, r.moved_on) AS went_on,
    100 * went_on / nullIf(people, 0) AS conversion,
    if(
        count(r.seconds) = 0, NULL,
        arrayReduce('medianExact', arrayMap(
            stay -> stay.4,
            groupUniqArrayIf(
                (r.person_id, r.cycle, r.entered_at, assumeNotNull(r.seconds)),
                r.seconds IS NOT NULL
            )
        ))
    ) AS median_seconds,
    sum(r.pain_points) AS pain_points,
    avg(r.satisfaction) AS satisfaction
FROM journey_map_rows AS r
ARRAY JOIN arrayDistinct(['', r.channel]) AS a_channel
ARRAY JOIN arrayDistinct(['', r.segment]) AS a_segment
LEFT JOIN (SELECT * FROM journey_models FINAL) AS m ON m.model = r.model AND m.phase = r.phase
GROUP BY site, model, phase, channel, segment
COMMENT 'The map that everybody looks at: phases × channels, live';
