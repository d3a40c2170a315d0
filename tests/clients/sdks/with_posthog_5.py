from posthog import Posthog


def start(url, key):
    posthog = Posthog(key, host=url, flush_interval=0.5, max_retries=20)

    def send(event, properties):
        posthog.capture("u-1", event, properties)

    return send, posthog.shutdown
