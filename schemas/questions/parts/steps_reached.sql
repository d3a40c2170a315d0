-- Steps that people reached in a span: touchpoints, numbered steps of a checkout, fields of forms.
-- A form tells the last field only when it is left. So all who began it count at each of its fields.
SELECT person_id, person_key, occurred_at, place
FROM
(
    SELECT person_id, person_key, occurred_at, toString(name) AS step,
        if(name LIKE 'Checkout Step %', multiIf(
            JSONType(properties, 'step') = 'String', trimBoth(JSONExtractString(properties, 'step')),
            JSONType(properties, 'step') IN ('Int64', 'UInt64'), JSONExtractRaw(properties, 'step'),
            ''
        ), '') AS number,
        if(JSONExtractString(properties, 'form') = '', JSONExtractString(properties, 'form_id'),
            JSONExtractString(properties, 'form')) AS form,
        if(name IN ('Form Started', 'Form Left', 'Form Submitted'), arrayFilter(
            field -> if(form = '', field = JSONExtractString(properties, 'field'),
                field = form OR startsWith(field, concat(form, '.'))),
            (SELECT groupUniqArray(toString(step)) FROM people_abandonments(*) WHERE kind = 'form')
        ), []) AS fields
    FROM people_touchpoints(*)
    WHERE name IN (SELECT step FROM journey_steps FINAL) OR name LIKE 'Checkout Step %'
        OR name IN ('Form Started', 'Form Left', 'Form Submitted')
)
ARRAY JOIN arrayDistinct(arrayConcat(
    if(step IN (SELECT step FROM journey_steps FINAL), [step], []),
    if(number = '', [], [concat(step, ' ', substringUTF8(number, 1, 60))]),
    fields
)) AS place
