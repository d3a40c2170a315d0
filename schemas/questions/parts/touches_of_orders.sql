-- Visits that led to an order, of the span or made since.
SELECT arrayJoin(way).2 AS session_id
FROM ways_to_orders(*, end = {end:DateTime64(3, 'UTC')} + toIntervalDay({days:UInt16}))
