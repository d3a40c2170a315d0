-- How fresh is the site, and does it have anything at all?
-- Of the last days before `end` only, so that the cost does not grow with the history.
WITH {end:DateTime64(3, 'UTC')} AS now
SELECT
    toBool((SELECT count() FROM (
        SELECT 1 FROM touchpoints WHERE site = {site:String} LIMIT 1)) = 0) AS is_empty,
    (SELECT maxOrNull(received_at) FROM touchpoints
        WHERE site = {site:String} AND occurred_at >= now - INTERVAL 2 DAY) AS newest,
    (SELECT count() FROM touchpoints
        WHERE site = {site:String} AND occurred_at >= now - INTERVAL 1 DAY
        AND received_at >= now - INTERVAL 1 MINUTE) AS last_minute,
    (SELECT count() FROM dead_letters
        WHERE site IN ({site:String}, '') AND at >= now - INTERVAL 1 HOUR) AS refused
