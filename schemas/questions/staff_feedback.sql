-- What do the staff hear, and whom does it concern?
-- Their words stay in touchpoints.
SELECT JSONExtractString(properties, 'department') AS department,
    JSONExtractString(properties, 'phase') AS phase,
    JSONExtractString(properties, 'touchpoint') AS touchpoint,
    count() AS notes, max(occurred_at) AS last_at
FROM touchpoints_in(*)
WHERE name = 'Feedback Noted'
GROUP BY department, phase, touchpoint
ORDER BY notes DESC, department, phase, touchpoint
