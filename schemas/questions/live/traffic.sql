-- What brings visits, with which devices, and what is looked at?
-- Visits as `visits_by` counts them, views as `pages` does, both beside the span before, with lines of
-- `slices` points. `orders` are visits with one.
WITH {start:DateTime64(3, 'UTC')} AS begin, dateDiff('millisecond', begin, {end:DateTime64(3, 'UTC')}) AS lasts
SELECT dimension, value, sum(is_now) AS visits, sum(NOT is_now) AS before, sum(is_now AND ordered) AS orders,
    sumForEach(arrayMap(n -> n = place AND is_now, range({slices:UInt16}))) AS line,
    sumForEach(arrayMap(n -> n = place AND NOT is_now, range({slices:UInt16}))) AS line_before
FROM
(
    SELECT dimension, value, ordered, at >= begin AS is_now,
        intDiv(
            toInt64({slices:UInt16}) * dateDiff('millisecond', if(is_now, begin, subtractMilliseconds(begin, lasts)), at),
            lasts
        ) AS place
    FROM
    (
        SELECT v.started_at AS at, v.orders > 0 AS ordered, found.1 AS dimension, found.2 AS value
        FROM visits(*, start = subtractMilliseconds({start:DateTime64(3, 'UTC')}, dateDiff('millisecond', {start:DateTime64(3, 'UTC')}, {end:DateTime64(3, 'UTC')}))) AS v
        ARRAY JOIN arrayFilter(one -> one.2 != '', [
            ('source', toString(v.channel_group)), ('campaign', toString(v.campaign)),
            ('device', toString(v.device)), ('country', toString(v.country)), ('entry', v.entry_path)
        ]) AS found
        WHERE v.page_views > 0
        UNION ALL
        SELECT occurred_at, false, 'page', path
        FROM people_touchpoints(*, start = subtractMilliseconds({start:DateTime64(3, 'UTC')}, dateDiff('millisecond', {start:DateTime64(3, 'UTC')}, {end:DateTime64(3, 'UTC')})))
        WHERE type IN ('page', 'screen') AND path != ''
    )
)
GROUP BY dimension, value
ORDER BY dimension, visits DESC, before DESC, value
LIMIT {most:UInt32} BY dimension
