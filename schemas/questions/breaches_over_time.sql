-- When were minimum standards broken?
SELECT toStartOfInterval(at, toIntervalSecond({step:UInt32})) AS time, concat(kind, ' ', place) AS standard,
    count() AS breaches
FROM breaches_in(*)
GROUP BY time, standard
ORDER BY time, standard
