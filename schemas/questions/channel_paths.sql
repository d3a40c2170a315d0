-- Which ways over channels do people go, and which of them end with an order?
-- Channels in order within the span, the first ten. `buyers`: people who have ordered.
SELECT path, count() AS people,
    countIf(person_id IN (SELECT person_id FROM buyers_of(*))) AS buyers,
    medianExact(lasted) AS median_seconds
FROM
(
    SELECT person_id,
        arraySlice(arraySort(groupArray((arrived_at, to_channel))).2, 1, 10) AS path,
        dateDiff('second', min(arrived_at), max(arrived_at)) AS lasted
    FROM channel_crossings(*)
    GROUP BY person_id
)
GROUP BY path
ORDER BY people DESC, path
LIMIT {most:UInt32}
