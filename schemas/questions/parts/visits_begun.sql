-- Visits of people that began in a span, with the person known now; what they ordered is in `visits`.
-- A visit is a touch when the person did something: it has a page view, or began where people act and
-- not where they are sent something. `has_ordered` says that the visit told an order itself.
SELECT s.session_id AS session_id, s.visitor_id AS visitor_id, s.visitor_key AS visitor_key,
    if(i.person_id = '', s.visitor_id, i.person_id) AS person_id,
    if(i.person_key = 0, s.visitor_key, i.person_key) AS person_key,
    s.started_at AS started_at, s.ended_at AS ended_at, s.touchpoints AS touchpoints,
    s.page_views AS page_views, s.entry_path AS entry_path, s.exit_path AS exit_path,
    s.channel AS channel, s.channel_group AS channel_group, s.traffic_source AS traffic_source,
    s.traffic_medium AS traffic_medium, s.traffic_campaign AS traffic_campaign,
    if(s.traffic_campaign = '', s.utm_campaign, s.traffic_campaign) AS campaign,
    s.device AS device, s.country AS country, s.steps AS steps, s.orders_told > 0 AS has_ordered,
    s.is_branded AS is_branded,
    s.page_views > 0 OR s.channel IN ('website', 'shop', 'app', 'store', 'phone', 'chat', 'messenger',
        'order_card', 'support') AS is_touch
FROM
(
    SELECT *, visitor_key
    FROM sessions FINAL
    WHERE site = {site:String} AND NOT is_bot
        AND started_at >= {start:DateTime64(3, 'UTC')} AND started_at < {end:DateTime64(3, 'UTC')}
        AND ({channel:String} = '' OR channel = {channel:String})
    SETTINGS do_not_merge_across_partitions_select_final = 1, optimize_move_to_prewhere_if_final = 1
) AS s
LEFT JOIN linked_in(*) AS i ON s.visitor_key = i.visitor_key
WHERE {segment:String} = '' OR person_id IN (SELECT person_id FROM people_of_segment(*))
