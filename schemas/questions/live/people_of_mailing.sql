-- What did people do with this mailing, and who are they?
-- As `mailings` counts; `what` is the campaign. `where` is the name of one of its columns: delivered,
-- opened, opened_by_machines, clicked, unsubscribed, bounced, carts or orders; empty: sent or more.
SELECT person_id, max(at) AS at, count() OVER () AS total
FROM (SELECT *, last_at AS at FROM mailed_people(*))
WHERE campaign = {what:String} AND multiIf(
    {where:String} = '', 1, {where:String} = 'delivered', delivered, {where:String} = 'opened', opened,
    {where:String} = 'opened_by_machines', machines, {where:String} = 'clicked', clicked,
    {where:String} = 'unsubscribed', has_left, {where:String} = 'bounced', bounced,
    {where:String} = 'carts', carts > 0, {where:String} = 'orders', orders > 0, 0
)
GROUP BY person_id
ORDER BY at DESC, person_id
LIMIT {most:UInt32}
