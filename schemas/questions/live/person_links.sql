-- By which kinds of identifiers are the visitors of a person linked?
SELECT visitor_id, splitByChar(':', identifier)[1] AS kind, count() AS identifiers
FROM links FINAL
WHERE site = {site:String} AND visitor_id IN {visitors:Array(String)}
GROUP BY visitor_id, kind
ORDER BY visitor_id, kind
