-- At which steps and pages do people give up, ask for help or complain?
-- The numbers of `weak_points`, the worst first. Where fewer than ten people came, the score counts as
-- if ten had: else one person who was lost would be the worst of all.
SELECT *
FROM weakness(*)
WHERE kind IN ('step', 'page') AND score > 0
ORDER BY score * least(people, 10) DESC, people DESC, place
LIMIT {most:UInt32}
