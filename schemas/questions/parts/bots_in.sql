-- Visits of bots that may reach into a span.
SELECT session_id
FROM bot_sessions
WHERE site = {site:String} AND started_at < {end:DateTime64(3, 'UTC')}
    AND started_at >= {start:DateTime64(3, 'UTC')} - INTERVAL 30 DAY
