-- When is something abandoned, and what does it cost?
SELECT toStartOfInterval(abandoned_at, toIntervalSecond({step:UInt32})) AS time,
    concat(kind, if(currency = '', '', ' '), currency) AS kind_and_currency, count() AS abandoned,
    toFloat64(sum(value)) AS at_stake
FROM people_abandonments(*)
GROUP BY time, kind_and_currency
ORDER BY time, kind_and_currency
