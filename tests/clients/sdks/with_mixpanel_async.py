from mixpanel import Mixpanel
from mixpanel_async import AsyncBufferedConsumer


def start(url, key):
    consumer = AsyncBufferedConsumer(
        flush_after=0, events_url=f"{url}/track", people_url=f"{url}/engage"
    )
    mixpanel = Mixpanel(key, consumer=consumer)

    def send(event, properties):
        mixpanel.track("u-1", event, properties)

    return send, lambda: consumer.flush(async_=False)
