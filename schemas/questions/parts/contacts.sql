-- Visits with a contact by phone, chat, messenger or support in a span: the first one of each.
SELECT t.session_id AS session_id, min(t.occurred_at) AS at, any(t.person_id) AS person_id,
    any(t.visitor_id) AS visitor_id, argMin(t.channel, t.occurred_at) AS channel
FROM touchpoints_in_sessions(*) AS t
WHERE (
    t.channel IN ('phone', 'chat', 'messenger', 'support')
    AND t.name NOT IN ('Recommendation Made', 'Product Shared')
) OR t.name IN ('Support Contacted', 'Chat Started', 'Phone Call Received', 'Complaint Made')
GROUP BY session_id
