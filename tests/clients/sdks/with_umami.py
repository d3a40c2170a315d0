import umami


def start(url, key):
    umami.set_url_base(url)
    umami.set_website_id(key)
    umami.set_hostname("shop.example")

    def send(event, properties):
        umami.new_event(event, url="/chair", custom_data=properties)

    return send, lambda: None
