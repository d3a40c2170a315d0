-- Touchpoints of people in a span: without bots, and without those that came too late.
SELECT *, waited, engaged_seconds, campaign_id, cityHash64(visitor_id) AS visitor_key,
    cityHash64(visitor_id, touchpoint_id) AS touchpoint_key
FROM touchpoints FINAL
WHERE site = {site:String}
    AND occurred_at >= {start:DateTime64(3, 'UTC')} AND occurred_at < {end:DateTime64(3, 'UTC')}
    AND NOT is_late AND NOT is_bot
SETTINGS do_not_merge_across_partitions_select_final = 1
