-- Visits of bots that reach into a span.
SELECT session_id
FROM sessions FINAL
WHERE site = {site:String} AND is_bot
    AND started_at < {end:DateTime64(3, 'UTC')} AND ended_at >= {start:DateTime64(3, 'UTC')}
SETTINGS do_not_merge_across_partitions_select_final = 1
