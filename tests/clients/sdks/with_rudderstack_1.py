import rudder_analytics as analytics


def start(url, key):
    analytics.write_key, analytics.data_plane_url = key, url

    def send(event, properties):
        analytics.track("u-1", event, properties, anonymous_id="a-1")

    return send, analytics.flush
