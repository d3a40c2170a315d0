-- People who ordered before the end of a span.
SELECT DISTINCT if(i.person_id = '', o.visitor_id, i.person_id) AS person_id
FROM orders_told(*) AS o
LEFT JOIN linked(*) AS i ON o.visitor_id = i.visitor_id
