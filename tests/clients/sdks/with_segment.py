from segment import analytics


def start(url, key):
    analytics.write_key, analytics.host = key, url
    analytics.max_retries, analytics.flush_interval = 20, 0.5

    def send(event, properties):
        analytics.track("u-1", event, properties, anonymous_id="a-1")

    return send, analytics.shutdown
