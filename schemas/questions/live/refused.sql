-- What was refused last, where, and why?
-- Letters without a site are shown to every site. `alike`: letters of the span with the same reason.
SELECT at, stage, reason, detail, substring(payload, 1, {longest:UInt32}) AS payload, encoding,
    dead_letter_id, count() OVER (PARTITION BY stage, reason) AS alike
FROM dead_letters FINAL
WHERE site IN ({site:String}, '')
    AND at >= {start:DateTime64(3, 'UTC')} AND at < {end:DateTime64(3, 'UTC')}
ORDER BY at DESC, dead_letter_id
LIMIT {most:UInt32}
