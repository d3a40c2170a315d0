-- What brings them back, and how long does it take?
SELECT toString(kind) AS kind, toString(recovered_channel) AS channel, toString(currency) AS currency,
    count() AS recovered, toFloat64(sum(value)) AS won_back,
    medianExact(dateDiff('second', abandoned_at, assumeNotNull(recovered_at))) AS median_seconds
FROM people_abandonments(*)
WHERE recovered_at IS NOT NULL
GROUP BY kind, channel, currency
ORDER BY won_back DESC, recovered DESC, kind, channel
