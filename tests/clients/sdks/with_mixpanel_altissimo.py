from altissimo.mixpanel import MixpanelClient
from mixpanel import Consumer


def start(url, key):
    consumer = Consumer(events_url=f"{url}/track", people_url=f"{url}/engage", retry_limit=20)
    mixpanel = MixpanelClient(key, consumer=consumer)

    def send(event, properties):
        mixpanel.track("u-1", event, properties=properties)

    return send, mixpanel.flush
