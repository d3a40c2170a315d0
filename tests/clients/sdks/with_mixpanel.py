from mixpanel import BufferedConsumer, Mixpanel


def start(url, key):
    consumer = BufferedConsumer(
        max_size=2,
        events_url=f"{url}/track",
        people_url=f"{url}/engage",
        import_url=f"{url}/import",
        retry_limit=20,
        retry_backoff_factor=0.2,
    )
    mixpanel = Mixpanel(key, consumer=consumer)

    def send(event, properties):
        mixpanel.track("u-1", event, properties)

    return send, consumer.flush
