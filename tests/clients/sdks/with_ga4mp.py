from ga4mp import GtagMP


def start(url, key):
    client = GtagMP(api_secret="s", measurement_id=key, client_id="123.456")
    client._base_domain = f"{url}/mp/collect"

    def send(event, properties):
        made = client.create_new_event(name=event.replace(" ", "_"))
        for name, value in properties.items():
            made.set_event_param(name=name, value=value)
        client.send(events=[made])

    return send, lambda: None
