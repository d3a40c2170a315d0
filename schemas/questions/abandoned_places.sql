-- On which page and step do we lose them, and why?
-- Carts and checkouts. `cause` is presumed, and empty where nothing suggests one.
SELECT toString(step) AS step, last_path AS last_page, toString(cause) AS cause, toString(currency) AS currency,
    count() AS abandoned, uniqExact(person_id) AS people, toFloat64(sum(value)) AS at_stake,
    countIf(recovered_at IS NOT NULL) AS recovered
FROM people_abandonments(*)
WHERE kind IN ('cart', 'checkout')
GROUP BY step, last_page, cause, currency
ORDER BY at_stake DESC, abandoned DESC, step, last_page, cause
LIMIT {most:UInt32}
