-- Which pages are seen, by how many, and where do people come in and leave?
-- `before` is the number of views in as long a span before. `median_wait` is in seconds, of those
-- views that measured one.
SELECT path, sum(views) AS views, sum(before) AS before, sum(people) AS people,
    sum(entries) AS entries, sum(exits) AS exits, any(median_wait) AS median_wait
FROM
(
    SELECT path, countIf(occurred_at >= {start:DateTime64(3, 'UTC')}) AS views,
        countIf(occurred_at < {start:DateTime64(3, 'UTC')}) AS before,
        uniqExactIf(person_id, occurred_at >= {start:DateTime64(3, 'UTC')}) AS people,
        0 AS entries, 0 AS exits,
        quantileExactOrNullIf(waited, waited IS NOT NULL AND occurred_at >= {start:DateTime64(3, 'UTC')}) AS median_wait
    FROM people_touchpoints(*, start = subtractMilliseconds({start:DateTime64(3, 'UTC')}, dateDiff('millisecond', {start:DateTime64(3, 'UTC')}, {end:DateTime64(3, 'UTC')})))
    WHERE type IN ('page', 'screen') AND path != ''
    GROUP BY path
    UNION ALL
    SELECT found.1, 0, 0, 0, sum(found.2 = 'entry'), sum(found.2 = 'exit'), NULL
    FROM visits_begun(*)
    ARRAY JOIN [(entry_path, 'entry'), (exit_path, 'exit')] AS found
    WHERE page_views > 0 AND found.1 != ''
    GROUP BY found.1
)
GROUP BY path
ORDER BY views DESC, before DESC, entries DESC, path
LIMIT {most:UInt32}
