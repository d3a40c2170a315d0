from amplitude_python_sdk.v2.clients.event_client import EventAPIClient
from amplitude_python_sdk.v2.models.event import Event


def start(url, key):
    client = EventAPIClient(key, url)

    def send(event, properties):
        told = Event(user_id="u-00001", event_type=event, event_properties=properties)
        client.upload([told])

    return send, lambda: None
