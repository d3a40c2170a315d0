-- What have these people left behind in the span that has not come back?
-- Without that of whole journeys: the cart in it has its own row.
SELECT person_id AS named, toFloat64(sum(value)) AS at_stake,
    argMax(toString(a.step), abandoned_at) AS step, argMax(toString(a.cause), abandoned_at) AS cause,
    anyIf(toString(a.currency), value > 0) AS stake_currency
FROM people_abandonments(*, channel = '', segment = '') AS a
WHERE person_id IN {people:Array(String)} AND recovered_at IS NULL AND kind != 'journey'
GROUP BY person_id
