-- Who is in this phase?
-- As `people_by_phase` counts; `what` is the phase. `where` is empty, `came` or `went_on`.
SELECT person_id, max(at) AS at, count() OVER () AS total
FROM
(
    SELECT person_id, entered_at AS at
    FROM stays_in(*)
    WHERE phase = {what:String}
        AND ({channel:String} = '' OR channel = {channel:String})
        AND ({segment:String} = '' OR person_id IN (SELECT person_id FROM people_of_segment(*)))
        AND if({where:String} IN ('came', 'went_on'), entered_at >= {start:DateTime64(3, 'UTC')}, left_at IS NULL)
        AND ({where:String} != 'went_on' OR moved_on)
)
GROUP BY person_id
ORDER BY at DESC, person_id
LIMIT {most:UInt32}
