from hightouch import htevents


def start(url, key):
    htevents.write_key, htevents.host, htevents.max_retries = key, url, 20

    def send(event, properties):
        htevents.track("u-1", event, properties, anonymous_id="a-1")

    return send, htevents.shutdown
