-- Visits that began on a channel in a span or the ninety days before.
SELECT session_id
FROM sessions FINAL
WHERE site = {site:String} AND channel = {channel:String}
    AND started_at >= {start:DateTime64(3, 'UTC')} - INTERVAL 90 DAY
    AND started_at < {end:DateTime64(3, 'UTC')}
