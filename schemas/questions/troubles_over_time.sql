-- Do script errors, slow pages and complaints go with abandonment?
SELECT time, what, sum(times) AS times
FROM
(
    SELECT toStartOfInterval(occurred_at, toIntervalSecond({step:UInt32})) AS time, toString(name) AS what,
        count() AS times
    FROM people_touchpoints(*)
    WHERE name IN ('Script Error', 'Page Slow', 'Payment Failed', 'Complaint Made', 'Support Contacted',
        'Chat Started', 'Phone Call Received')
    GROUP BY time, what
    UNION ALL
    SELECT toStartOfInterval(last_touchpoint_at, toIntervalSecond({step:UInt32})), 'Abandoned', count()
    FROM people_abandonments(*)
    WHERE kind IN ('cart', 'checkout')
    GROUP BY 1
)
GROUP BY time, what
ORDER BY time, what
