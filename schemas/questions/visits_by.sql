-- Where do visits come from, with what, and what do they bring?
-- `by` is source, group, medium, campaign, channel, device, country, entry or exit. `before` is the
-- number of visits in as long a span before. `amount` is what they
-- ordered for, `net` what is left of it after refunds; both null where they ordered in several
-- `currencies`, which are not added.
WITH {start:DateTime64(3, 'UTC')} AS begin
SELECT
    multiIf(
        {by:String} = 'source', toString(traffic_source), {by:String} = 'group', toString(channel_group),
        {by:String} = 'medium', toString(traffic_medium), {by:String} = 'campaign', toString(campaign),
        {by:String} = 'channel', toString(channel), {by:String} = 'device', toString(device),
        {by:String} = 'country', toString(country), {by:String} = 'entry', entry_path,
        {by:String} = 'exit', exit_path, ''
    ) AS value,
    countIf(started_at >= begin) AS visits,
    countIf(started_at < begin) AS before,
    uniqExactIf(person_id, started_at >= begin) AS people,
    countIf(page_views <= 1 AND started_at >= begin) AS bounces,
    countIf(has(steps, 'Product Added') AND started_at >= begin) AS with_cart,
    countIf(has(steps, 'Checkout Started') AND started_at >= begin) AS with_checkout,
    countIf(orders > 0 AND started_at >= begin) AS with_order,
    if(uniqExactIf(currency, orders > 0 AND started_at >= begin) > 1
        OR countIf(currency = 'mixed' AND started_at >= begin) > 0, NULL,
        toFloat64(sumIf(revenue, started_at >= begin))) AS amount,
    if(amount IS NULL, NULL, toFloat64(sumIf(v.net, started_at >= begin))) AS net,
    arrayStringConcat(groupUniqArrayIf(toString(currency), orders > 0 AND started_at >= begin), ', ') AS currencies
FROM visits(*, start = subtractMilliseconds({start:DateTime64(3, 'UTC')}, dateDiff('millisecond', {start:DateTime64(3, 'UTC')}, {end:DateTime64(3, 'UTC')}))) AS v
WHERE page_views > 0 OR {by:String} = 'channel'
GROUP BY value
HAVING value != ''
ORDER BY visits DESC, before DESC, value
LIMIT {most:UInt32}
