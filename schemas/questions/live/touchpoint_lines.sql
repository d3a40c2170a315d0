-- How often does each touchpoint happen through the span, and how often is it the last of a visit?
-- `times` and `exits` have `slices` points.
SELECT name, channel,
    sumForEach(arrayMap(n -> n = place, range({slices:UInt16}))) AS times,
    sumForEach(arrayMap(n -> n = place AND is_exit, range({slices:UInt16}))) AS exits
FROM
(
    SELECT toString(f.name) AS name, toString(f.channel) AS channel, f.is_exit AS is_exit,
        intDiv(
            toInt64({slices:UInt16}) * dateDiff('millisecond', {start:DateTime64(3, 'UTC')}, f.at),
            dateDiff('millisecond', {start:DateTime64(3, 'UTC')}, {end:DateTime64(3, 'UTC')})
        ) AS place
    FROM touchpoint_flow(*) AS f
)
GROUP BY name, channel
ORDER BY count() DESC, name, channel
LIMIT {most:UInt32}
