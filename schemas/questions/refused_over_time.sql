-- What input was refused, and why?
-- Letters without a site are counted for every site.
SELECT toStartOfInterval(at, toIntervalSecond({step:UInt32})) AS time, toString(reason) AS reason,
    uniqExact(dead_letter_id) AS refused
FROM dead_letters
WHERE site IN ('', {site:String})
    AND at >= {start:DateTime64(3, 'UTC')} AND at < {end:DateTime64(3, 'UTC')}
GROUP BY time, reason
ORDER BY time, reason
