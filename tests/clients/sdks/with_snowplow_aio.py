import asyncio

from aio_snowplow_tracker import Emitter, SelfDescribingJson, Subject, Tracker


def start(url, key):
    emitter = Emitter(url.removeprefix("http://"), method="post", buffer_size=1)
    tracker = Tracker(emitter, Subject().set_user_id("u-1"), "sp", key)
    loop = asyncio.new_event_loop()

    def send(event, properties):
        schema = f"iglu:com.example/{event.replace(' ', '_')}/jsonschema/1-0-0"
        sent = tracker.track_self_describing_event(SelfDescribingJson(schema, properties))
        loop.run_until_complete(sent)

    return send, lambda: loop.run_until_complete(tracker.flush())
