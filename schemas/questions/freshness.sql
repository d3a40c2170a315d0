-- As of when is that, how much is still waiting, and what is left out?
-- `newest` is the last touchpoint taken in, `seconds_behind` how long ago that was. `late` came after
-- the allowed lateness and `bots` are crawlers: both count nowhere. `refused` are dead letters.
SELECT max(received_at) AS newest, dateDiff('second', newest, now64(3)) AS seconds_behind,
    count() AS touchpoints, countIf(is_late) AS late, countIf(is_bot) AS bots,
    (
        SELECT uniqExact(dead_letter_id) FROM dead_letters
        WHERE site IN ('', {site:String})
            AND at >= {start:DateTime64(3, 'UTC')} AND at < {end:DateTime64(3, 'UTC')}
    ) AS refused
FROM touchpoints FINAL
WHERE site = {site:String}
    AND occurred_at >= {start:DateTime64(3, 'UTC')} AND occurred_at < {end:DateTime64(3, 'UTC')}
