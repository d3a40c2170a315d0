-- Which segments do people belong to, the largest first?
SELECT newest AS segment
FROM
(
    SELECT argMaxMerge(segment) AS newest
    FROM segment_states
    WHERE site = {site:String}
    GROUP BY visitor_id
)
GROUP BY segment
ORDER BY count() DESC, segment
LIMIT 30
