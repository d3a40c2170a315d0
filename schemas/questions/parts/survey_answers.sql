-- Answers with a score in a span; `value` is what the KPI is the mean of, `satisfaction` 0 to 100.
SELECT t.touchpoint_key AS touchpoint_key, t.occurred_at AS at, t.person_id AS person_id,
    t.person_key AS person_key,
    t.visitor_id AS visitor_id, t.channel AS channel,
    lower(if(
        JSONHas(t.properties, 'kind'),
        JSONExtractString(t.properties, 'kind'),
        JSONExtractString(t.properties, 'survey')
    )) AS survey,
    JSONExtractString(t.properties, 'phase') AS phase,
    JSONExtractString(t.properties, 'touchpoint') AS touchpoint,
    assumeNotNull(toFloat64OrNull(trim(BOTH '"' FROM JSONExtractRaw(t.properties, 'score')))) AS score,
    toFloat64(if(
        survey = 'nps', 100 * ((score >= 9) - (score <= 6)), 100 * (score >= 4)
    )) AS value,
    if(survey = 'nps', 10 * score, 25 * (score - 1)) AS satisfaction
FROM people_touchpoints(*) AS t
WHERE t.name = 'Survey Answered'
    AND toFloat64OrNull(trim(BOTH '"' FROM JSONExtractRaw(t.properties, 'score'))) IS NOT NULL
    AND ((survey = 'nps' AND score BETWEEN 0 AND 10) OR (survey = 'csat' AND score BETWEEN 1 AND 5))
