-- Visits that led to an order, of the span or made since.
SELECT session_id
FROM attribution(*, end = {end:DateTime64(3, 'UTC')} + toIntervalDay({days:UInt16}))
WHERE model = 'linear'
