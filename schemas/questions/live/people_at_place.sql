-- Who was at this step or page, and what happened to them there?
-- As `weak_points` counts; `what` is the place. `where` is empty (all who came), or `abandonment`,
-- `support`, `complaint` or `feedback`.
SELECT person_id, max(at) AS at, count() OVER () AS total
FROM (SELECT person_id, at, kind, place, what FROM friction(*))
WHERE kind IN ('step', 'page') AND place = {what:String}
    AND if({where:String} = '', what != 'feedback', what = {where:String})
GROUP BY person_id
ORDER BY at DESC, person_id
LIMIT {most:UInt32}
