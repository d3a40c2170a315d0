from snowplow_tracker import Emitter, SelfDescribing, SelfDescribingJson, Subject, Tracker


def start(url, key):
    emitter = Emitter(url.removeprefix("http://"), protocol="http", batch_size=1)
    subject = Subject().set_user_id("u-1").set_domain_user_id("d-1")
    tracker = Tracker("sp", emitter, subject=subject, app_id=key)

    def send(event, properties):
        schema = f"iglu:com.example/{event.replace(' ', '_')}/jsonschema/1-0-0"
        tracker.track(SelfDescribing(SelfDescribingJson(schema, properties)))

    return send, tracker.flush
