-- Which source does each visit belong to?
-- A direct visit belongs to what brought the person last, within 90 days. Mail, ads and posts count
-- when they led to a page; what a person did offline brought no visit.
SELECT session_id, person_id, started_at, traffic_source, traffic_medium, campaign, channel_group,
    tupleElement(if(is_taken_over, click, own), 1) AS last_non_direct_source,
    tupleElement(if(is_taken_over, click, own), 2) AS last_non_direct_medium,
    tupleElement(if(is_taken_over, click, own), 3) AS last_non_direct_campaign,
    tupleElement(if(is_taken_over, click, own), 4) AS last_non_direct_group,
    tupleElement(if(is_taken_over, click, own), 5) AS last_non_direct_at,
    channel_group = 'Direct' AND click.5 >= started_at - INTERVAL 90 DAY AS is_taken_over
FROM
(
    SELECT *,
        is_touch AND traffic_medium NOT IN ('', '(none)', 'offline') AS is_click,
        (toString(traffic_source), toString(traffic_medium), toString(traffic_campaign),
            toString(channel_group), started_at) AS own,
        argMaxIf(own, (started_at, session_id), is_click) OVER (
            PARTITION BY person_id ORDER BY started_at, session_id
            ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
        ) AS click
    FROM
    (
        SELECT * FROM visits_begun(*)
        UNION ALL
        SELECT *
        FROM visits_begun(*, start = {start:DateTime64(3, 'UTC')} - INTERVAL 90 DAY, end = {start:DateTime64(3, 'UTC')})
        WHERE visitor_id IN (SELECT visitor_id FROM visitors_direct(*))
    )
)
WHERE started_at >= {start:DateTime64(3, 'UTC')}
ORDER BY started_at, session_id
LIMIT {most:UInt32}
