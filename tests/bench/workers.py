"""The two yardsticks of the tracker benchmark: `python -m tests.bench.workers floor|plain`.

`floor` is the tracker's own shell (Faust, coalesced consumption, outbox) around nothing but decode
and encode. `plain` is what the Faust manual shows: an agent, a `Table`, one event at a time.
"""

import os
import sys
from typing import Any

import faust

from pipeline.settings import Settings
from pipeline.tracker import app as tracker_app
from pipeline.tracker.steps import Output
from schemas import topics
from schemas.codec import decode_touchpoint, encode


def floor() -> None:
    """Run the tracker with no logic: every touchpoint is decoded, encoded and written."""

    def process(_partition: Any, records: list[Any], *_: Any) -> Output:
        output = Output(records[-1].offset)
        for record in records:
            value = encode(decode_touchpoint(record.value))
            output.write(topics.TOUCHPOINTS, record.key, value, record.timestamp)
        return output

    vars(tracker_app)["process"] = process
    tracker_app.run(Settings())


def plain() -> None:
    """Run a Faust agent that counts every visitor's touchpoints in a table."""
    settings = Settings()
    app = faust.App(
        settings.tracker_group,
        broker=f"kafka://{settings.kafka_bootstrap_servers}",
        store="memory://",
        web_enabled=False,
        topic_disable_leader=True,
        topic_partitions=settings.kafka_partitions,
        table_standby_replicas=0,
        datadir=os.environ["BENCH_FOLDER"],
    )
    raw = app.topic(topics.RAW.name, value_serializer="raw", key_serializer="raw")
    written = app.topic(topics.TOUCHPOINTS.name, value_serializer="raw", key_serializer="raw")
    visitors = app.Table("visitors", default=int, partitions=settings.kafka_partitions)

    @app.agent(raw)
    async def track(stream: Any) -> None:
        async for event in stream.events():
            touchpoint = decode_touchpoint(event.value)
            visitors[touchpoint.anonymous_id] += 1
            await written.send(key=event.key, value=encode(touchpoint))

    faust.Worker(app, loglevel="WARNING", quiet=True).execute_from_commandline()


if __name__ == "__main__":
    {"floor": floor, "plain": plain}[sys.argv[1]]()
