-- What became of these touchpoints: counted, of a bot, or too late?
-- The table is sorted by day: `first` and `last` say on which days they happened.
SELECT visitor_id, touchpoint_id, multiIf(is_bot, 'bot', is_late, 'late', 'counted') AS became
FROM touchpoints FINAL
WHERE site = {site:String} AND visitor_id IN {visitors:Array(String)}
    AND touchpoint_id IN {ids:Array(String)}
    AND occurred_at >= {first:DateTime64(3, 'UTC')} AND occurred_at <= {last:DateTime64(3, 'UTC')}
