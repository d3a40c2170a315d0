-- What happens in each phase on each channel?
-- A cell counts people, so cells cannot be added up: the empty channel is all channels. `went_on`:
-- people who went on to a later phase; `conversion` the same in %. `median_seconds` of those who left
-- the phase. `satisfaction` is a mean from 0 to 100.
SELECT any(m.rank) AS rank, r.phase AS phase, any(m.en) AS en, any(m.de) AS de, a_channel AS channel,
    uniqExactIf(r.person_key, r.touchpoints > 0) AS people,
    sum(r.touchpoints) AS touchpoints,
    uniqExactIf(r.person_key, r.moved_on) AS went_on,
    100 * went_on / nullIf(people, 0) AS conversion,
    if(
        count(r.seconds) = 0, NULL,
        arrayReduce('medianExact', arrayMap(stay -> stay.2, groupUniqArrayIf(
            (cityHash64(r.person_key, r.cycle, r.entered_at), assumeNotNull(r.seconds)), r.seconds IS NOT NULL
        )))
    ) AS median_seconds,
    sum(r.pain_points) AS pain_points,
    sum(r.satisfied) / nullIf(sum(r.answers), 0) AS satisfaction
FROM map_rows(*) AS r
ARRAY JOIN ['', r.channel] AS a_channel
LEFT JOIN (SELECT * FROM journey_models FINAL WHERE model = {model:String}) AS m ON m.phase = r.phase
GROUP BY phase, channel
ORDER BY channel = '' DESC, people DESC, channel, rank
