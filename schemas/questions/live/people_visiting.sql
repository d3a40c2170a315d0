-- Whom did this bring, or which device did they have?
-- As `traffic` counts visits; `by` is source, campaign, device, country or entry, `what` its value.
SELECT person_id, max(at) AS at, count() OVER () AS total
FROM (SELECT person_id, started_at AS at, * EXCEPT (person_id) FROM visits(*))
WHERE page_views > 0 AND {what:String} = multiIf(
    {by:String} = 'source', toString(channel_group), {by:String} = 'campaign', toString(campaign),
    {by:String} = 'device', toString(device), {by:String} = 'country', toString(country), entry_path
)
GROUP BY person_id
ORDER BY at DESC, person_id
LIMIT {most:UInt32}
