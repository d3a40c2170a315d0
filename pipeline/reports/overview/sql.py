"""The statements of `touchstream report`. PURE: text only.

Arrivals include bots. Visits, people, orders and abandonments exclude them.
"""

from pipeline.reports.span import IN_SPAN

# ruff: noqa: S608 - all values are parameters of the server; only our own text is formatted in.


TOUCHPOINTS = f"""
SELECT count(), countIf(is_late), countIf(is_bot),
    uniqExactIf((site, visitor_id), NOT is_late AND NOT is_bot)
FROM touchpoints FINAL
WHERE {IN_SPAN.format(time="occurred_at")}"""

SESSIONS = f"""
SELECT count(), uniqExact(site, person_id)
FROM person_sessions
WHERE NOT is_bot AND {IN_SPAN.format(time="started_at")}"""

# For visitors seen in the span, with their links to people.
LINKS = f"""
SELECT count()
FROM links FINAL
WHERE (site, visitor_id) IN
(
    SELECT site, visitor_id FROM touchpoints WHERE {IN_SPAN.format(time="occurred_at")}
)"""

# windowFunnel takes integers, not DateTime64; a window of 300 years means no limit.
_FUNNEL = """
WITH {{steps:Array(String)}} AS steps
SELECT
    sumForEach(reach),
    sumForEach(closed),
    sumForEach(ordered),
    countIf(cart AND NOT bought),
    countIf(cart),
    countIf(checkout AND NOT bought),
    countIf(checkout)
FROM
(
    SELECT
        groupUniqArray(name) AS names,
        windowFunnel(10000000000000)(
            toUInt64(toUnixTimestamp64Milli(occurred_at)), {conditions}
        ) AS level,
        arrayMap(step -> has(names, step), steps) AS reach,
        arrayMap(i -> arrayMin(arraySlice(reach, 1, i)), arrayEnumerate(reach)) AS closed,
        arrayMap(i -> level >= i, arrayEnumerate(reach)) AS ordered,
        has(names, 'Product Added') AS cart,
        has(names, 'Checkout Started') AS checkout,
        max(order_event = 'completed') AS bought
    FROM session_touchpoints
    WHERE (has(steps, name) OR name IN ('Product Added', 'Checkout Started')
            OR order_event = 'completed')
        AND NOT is_bot AND {no_bots} AND {where}
    GROUP BY site, {unit}
)"""

UNCOUNTED_MONEY = f"""
SELECT name, money_problem, count()
FROM touchpoints FINAL
WHERE money_problem != '' AND {IN_SPAN.format(time="occurred_at")}
GROUP BY name, money_problem
ORDER BY count() DESC, name, money_problem"""

_NOT_OF_BOTS = "session_id NOT IN (SELECT session_id FROM bot_sessions)"

# Where people are at the end of the span, no matter when they arrived there.
PHASES = f"""
SELECT model, phase, count()
FROM
(
    SELECT model, argMax(to_phase, (at, turn, touchpoint_id)) AS phase
    FROM person_transitions
    WHERE ({{site:String}} = '' OR site = {{site:String}})
        AND at < fromUnixTimestamp64Milli({{end:Int64}}) AND {_NOT_OF_BOTS}
    GROUP BY site, model, person_id
)
GROUP BY model, phase"""

ABANDONED = f"""
SELECT kind, currency, count(), countIf(recovered_at IS NOT NULL), sum(value)
FROM abandonments FINAL
WHERE {IN_SPAN.format(time="abandoned_at")} AND {_NOT_OF_BOTS}
GROUP BY kind, currency
ORDER BY kind, currency"""

DEAD_LETTERS = f"""
SELECT stage, reason, count()
FROM dead_letters FINAL
WHERE {IN_SPAN.format(time="at")}
GROUP BY stage, reason
ORDER BY count() DESC, stage, reason"""


def funnel(unit: str, steps: int) -> str:
    """Write the statement that counts `unit`s (`visitor` or `session`) at each of `steps` steps."""
    return _FUNNEL.format(
        conditions=", ".join(f"name = steps[{number}]" for number in range(1, steps + 1)),
        no_bots=_NOT_OF_BOTS,
        where=IN_SPAN.format(time="occurred_at"),
        unit=f"{unit}_id",
    )
