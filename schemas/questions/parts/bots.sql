-- Visitors of whom a visit was one of a bot.
SELECT visitor_id
FROM bot_sessions
WHERE site = {site:String}
