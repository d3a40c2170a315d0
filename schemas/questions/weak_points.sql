-- Where do people give up, ask for help or complain?
-- `kind` is phase, step or page. The score is abandonments, calls for help, complaints and notes of
-- the staff per hundred people who came there; `rank` 1 is the weakest of its kind, `rank_by_time`
-- the same by the seconds that each person lost.
SELECT *,
    row_number() OVER (PARTITION BY kind ORDER BY score DESC, people DESC, place) AS rank,
    row_number() OVER (PARTITION BY kind ORDER BY seconds_lost_per_person DESC, people DESC, place)
        AS rank_by_time
FROM weakness(*)
ORDER BY kind, rank
LIMIT {most:UInt32} BY kind
