-- How does each touchpoint do?
-- `exit_rate`: % that were the last of their visit. `complaints` and `satisfaction` (0 to 100) are of
-- those that a complaint or a survey of the same person followed next, within a day; `satisfaction`
-- also of its own rating. `next_touchpoint` is what came next in the visit most often.
SELECT name, channel, sum(times) AS volume, uniqExactMerge(persons) AS people,
    100 * sum(exits) / volume AS exit_rate, medianExactMerge(waits) AS median_waiting_seconds,
    sum(satisfied) / nullIf(sum(answering), 0) AS satisfaction, sum(answering) AS answers,
    sum(complaining) AS complaints,
    argMax(next_name, (if(next_name = '', 0, times), next_name)) AS next_touchpoint,
    100 * maxIf(times, next_name != '') / volume AS next_rate
FROM
(
    SELECT name, channel, next_name, count() AS times, uniqExactState(person_key) AS persons,
        countIf(is_exit) AS exits, medianExactState(waiting_seconds) AS waits,
        sum(satisfaction) AS satisfied, count(satisfaction) AS answering,
        countIf(has_complaint) AS complaining
    FROM touchpoint_flow(*)
    GROUP BY name, channel, next_name
)
GROUP BY name, channel
ORDER BY volume DESC, name, channel
LIMIT {most:UInt32}
