-- What led to the orders, by several models side by side?
-- `by` is group, source or campaign; `days` is how long before an order a visit may have led to it.
-- Each order is shared out once by each model; `net` is the amount less refunds. docs/attribution.md defines the models.
SELECT model,
    if(one = '', '(not set)', one) AS value, currency,
    sum(credit) AS conversions, sum(revenue) AS amount, sum(net) AS net
FROM
(
    SELECT *,
        multiIf(
            {by:String} = 'source', toString(traffic_source),
            {by:String} = 'campaign', toString(traffic_campaign), toString(channel_group)
        ) AS one
    FROM attribution(*)
)
GROUP BY model, value, currency
ORDER BY model, conversions DESC, value, currency
