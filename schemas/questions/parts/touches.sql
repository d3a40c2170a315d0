-- Visits of the buyers of a span that may have led to an order, up to so many days before it.
-- A visit is a touch when the person did something: it has a page view, or began where people act
-- and not where they are sent something.
SELECT if(i.person_id = '', s.visitor_id, i.person_id) AS person_id, s.session_id AS session_id,
    s.started_at AS started_at, s.traffic_source AS traffic_source, s.traffic_medium AS traffic_medium,
    s.traffic_campaign AS traffic_campaign, s.channel_group AS channel_group,
    NOT s.is_bot AND (s.page_views > 0 OR s.channel IN ('website', 'shop', 'app', 'store', 'phone',
        'chat', 'messenger', 'order_card', 'support')) AS is_touch
FROM
(
    SELECT *
    FROM sessions FINAL
    PREWHERE visitor_key IN (SELECT visitor_key FROM visitors_buying(*))
    WHERE site = {site:String} AND started_at < {end:DateTime64(3, 'UTC')}
        AND ended_at >= {start:DateTime64(3, 'UTC')} - toIntervalDay({days:UInt16})
    SETTINGS do_not_merge_across_partitions_select_final = 1
) AS s
LEFT JOIN linked_buying(*) AS i ON s.visitor_id = i.visitor_id
