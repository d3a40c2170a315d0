-- How do people go from channel to channel, how long does it take, and who is lost?
-- Within the span. `from_channel` is empty where a person began. `lost`: people who crossed, went
-- nowhere else and have never ordered.
SELECT from_channel, to_channel, uniqExact(person_id) AS people, count() AS crossings,
    medianExact(dateDiff('second', left_at, arrived_at)) AS median_seconds,
    uniqExactIf(person_id, is_last AND person_id NOT IN (SELECT person_id FROM buyers_of(*))) AS lost
FROM channel_crossings(*)
GROUP BY from_channel, to_channel
ORDER BY people DESC, from_channel, to_channel
