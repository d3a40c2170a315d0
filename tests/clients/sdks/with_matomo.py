from matomo import Matomo
from matomo.request import Request


def start(url, key):
    tracker = Matomo(Request(HTTP_HOST="shop.example", PATH_INFO="/chair"), int(key), url)
    tracker.set_visitor_id("0123456789abcdef")

    def send(event, properties):
        tracker.do_track_event(properties["note"], event, "", properties["n"])

    return send, lambda: None
