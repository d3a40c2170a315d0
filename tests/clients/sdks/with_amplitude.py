from amplitude import Amplitude, BaseEvent


def start(url, key):
    client = Amplitude(key)
    client.configuration.server_url = f"{url}/2/httpapi"
    client.configuration.flush_interval_millis = 500
    client.configuration.flush_max_retries = 30

    def send(event, properties):
        client.track(BaseEvent(event, user_id="u-1", event_properties=properties))

    return send, client.shutdown
