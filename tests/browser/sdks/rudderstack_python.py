import sys

from rudderstack import analytics

analytics.write_key, analytics.dataPlaneUrl = "wk_rudderstack_python", sys.argv[1]
for number in range(1, 41):
    analytics.track(anonymous_id="a-1", event=f"Event {number}", properties={"number": number})
analytics.identify("u-1", {"plan": "gold"}, anonymous_id="a-1")
analytics.shutdown()
