from june import analytics


def start(url, key):
    analytics.write_key, analytics.host = key, url
    analytics.max_retries, analytics.send = 20, True

    def send(event, properties):
        analytics.track("u-1", event, properties, anonymous_id="a-1")

    return send, analytics.shutdown
