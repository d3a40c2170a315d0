-- Who ordered?
-- As `orders_by_currency` counts; `currency` is one, or * for all.
SELECT person_id, max(at) AS at, count() OVER () AS total
FROM (SELECT person_id, ordered_at AS at, currency FROM orders_in(*))
WHERE {currency:String} IN ('*', currency)
GROUP BY person_id
ORDER BY at DESC, person_id
LIMIT {most:UInt32}
