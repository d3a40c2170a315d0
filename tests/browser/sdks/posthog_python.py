import sys

from posthog import Posthog

posthog = Posthog("wk_posthog_python", host=sys.argv[1], flush_at=10, gzip=True)
for number in range(1, 41):
    posthog.capture(f"Event {number}", distinct_id="u-1", properties={"number": number})
posthog.alias("u-0", "u-1")
posthog.shutdown()
