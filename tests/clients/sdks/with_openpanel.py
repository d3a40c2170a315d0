import time

from openpanel import OpenPanel


def start(url, key):
    client = OpenPanel(key, client_secret="s", api_url=url)
    client.profile_id = "u-1"

    def send(event, properties):
        client.track(event, properties)

    return send, lambda: time.sleep(3)
