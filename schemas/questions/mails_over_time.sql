-- When are mails delivered, opened and clicked, and when do people leave?
SELECT toStartOfInterval(occurred_at, toIntervalSecond({step:UInt32})) AS time, toString(name) AS name,
    uniqExact(person_id) AS people
FROM people_touchpoints(*)
WHERE channel IN ('newsletter', 'email')
GROUP BY time, name
ORDER BY time, name
