-- When do people come into each phase?
SELECT toStartOfInterval(t.at, toIntervalSecond({step:UInt32})) AS time, t.to_phase AS phase,
    any(m.de) AS de, uniqExact(t.person_id) AS people
FROM people_transitions(*) AS t
LEFT JOIN (SELECT * FROM journey_models FINAL WHERE model = {model:String}) AS m ON m.phase = t.to_phase
GROUP BY time, phase
ORDER BY time, any(m.rank)
