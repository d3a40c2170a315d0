from posthoganalytics import Posthog


def start(url, key):
    posthog = Posthog(key, host=url, flush_interval=0.5, max_retries=20, capture_mode="v1")

    def send(event, properties):
        posthog.capture(event, distinct_id="u-1", properties=properties)

    return send, posthog.shutdown
