-- Which minimum standards were not kept, how often, and by how much?
-- By the time at which the standard was broken. `still_open`: the person is still in that phase.
SELECT kind, place, max_seconds, count() AS breaches, uniqExact(person_id) AS people,
    countIf(is_open) AS still_open, medianExact(seconds) AS median_seconds, max(seconds) AS longest
FROM breaches_in(*)
GROUP BY kind, place, max_seconds
ORDER BY breaches DESC, kind, place
