import analytics


def start(url, key):
    analytics.write_key, analytics.host, analytics.max_retries = key, url, 20

    def send(event, properties):
        analytics.track("u-1", event, properties, anonymous_id="a-1")

    return send, analytics.shutdown
