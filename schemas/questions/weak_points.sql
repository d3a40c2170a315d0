-- Where do people give up, ask for help or complain?
-- `kind` is phase, step or page. The score is abandonments, calls for help, complaints and notes of
-- the staff per hundred people who came there; `rank` 1 is the weakest of its kind, `rank_by_time`
-- the same by the seconds that each person lost.
SELECT *,
    row_number() OVER (PARTITION BY kind ORDER BY score DESC, people DESC, place) AS rank,
    row_number() OVER (PARTITION BY kind ORDER BY seconds_lost_per_person DESC, people DESC, place)
        AS rank_by_time
FROM
(
    SELECT model, kind, place,
        uniqExactIf(person_id, what != 'feedback') AS people,
        countIf(what = 'abandonment') AS abandonments,
        countIf(what = 'support') AS support_contacts,
        countIf(what = 'complaint') AS complaints,
        countIf(what = 'feedback') AS feedback,
        sum(seconds) AS seconds_lost,
        100 * (abandonments + support_contacts + complaints + feedback) / greatest(people, 1) AS score,
        seconds_lost / greatest(people, 1) AS seconds_lost_per_person
    FROM friction(*)
    GROUP BY model, kind, place
)
ORDER BY kind, rank
LIMIT {most:UInt32} BY kind
