-- Visits that reach into a span, those of bots included.
SELECT visitor_id, visitor_key, session_id, started_at, ended_at
FROM sessions FINAL
WHERE site = {site:String}
    AND started_at < {end:DateTime64(3, 'UTC')} AND ended_at >= {start:DateTime64(3, 'UTC')}
SETTINGS do_not_merge_across_partitions_select_final = 1
