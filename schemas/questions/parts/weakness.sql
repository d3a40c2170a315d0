-- How much went wrong in a span in each phase and at each step and page; `lost` people gave up there.
SELECT model, kind, place,
    uniqExactIf(person_key, what != 'feedback') AS people,
    uniqExactIf(person_key, what = 'abandonment') AS lost,
    countIf(what = 'abandonment') AS abandonments,
    countIf(what = 'support') AS support_contacts,
    countIf(what = 'complaint') AS complaints,
    countIf(what = 'feedback') AS feedback,
    sum(seconds) AS seconds_lost,
    100 * (abandonments + support_contacts + complaints + feedback) / greatest(people, 1) AS score,
    seconds_lost / greatest(people, 1) AS seconds_lost_per_person
FROM friction(*)
GROUP BY model, kind, place
