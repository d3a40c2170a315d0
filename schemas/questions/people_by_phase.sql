-- How many people are where in their journey?
-- Of the people seen in the span: who was in the phase at its end (`people`), who came into it
-- during the span (`came`), how many of these went on to a later phase (`went_on`), and how long
-- those stayed that left it. `max_seconds` is the minimum standard; 0: none.
SELECT m.rank AS rank, m.phase AS phase, m.en AS en, m.de AS de,
    countIf(s.person_id != '' AND s.left_at IS NULL) AS people,
    uniqExactIf(s.person_id, s.entered_at >= {start:DateTime64(3, 'UTC')}) AS came,
    uniqExactIf(s.person_id, s.entered_at >= {start:DateTime64(3, 'UTC')} AND s.moved_on) AS went_on,
    100 * went_on / nullIf(came, 0) AS conversion,
    medianExactOrNullIf(dateDiff('second', s.entered_at, s.left_at), s.left_at IS NOT NULL) AS median_seconds,
    m.max_seconds AS max_seconds
FROM (SELECT * FROM journey_models FINAL WHERE model = {model:String}) AS m
LEFT JOIN
(
    SELECT *
    FROM stays_in(*)
    WHERE ({channel:String} = '' OR channel = {channel:String})
        AND ({segment:String} = '' OR person_id IN (SELECT person_id FROM people_of_segment(*)))
) AS s ON s.phase = m.phase
GROUP BY rank, phase, en, de, max_seconds
ORDER BY rank
