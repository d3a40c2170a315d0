from matomopy import MatomoTracker


def start(url, key):
    client = MatomoTracker(url, key)
    client.set_visitor_id("0123456789abcdef").set_url("https://shop.example/chair")

    def send(event, properties):
        client.track_event("shop", event, properties["note"], properties["n"])

    return send, lambda: None
