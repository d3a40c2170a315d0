"""The yardsticks of the tracker benchmark: `python -m tests.bench.workers floor|same|plain`.

`floor` is the tracker's own shell (Faust, coalesced consumption, outbox) around nothing but decode
and encode. The other two are what the Faust manual shows, an agent, a `Table`, one event at a time:
`same` does what the tracker does, through the tracker's own steps, `plain` only counts.
"""

import os
import sys
from typing import Any

import faust

from pipeline.kafka.in_memory import Fetched
from pipeline.settings import Settings
from pipeline.tracker import app as tracker_app
from pipeline.tracker.output import Output
from pipeline.tracker.partition import META_KEY, Partition
from pipeline.tracker.rules import rules_of
from pipeline.tracker.steps import checkpoint, process
from schemas import topics
from schemas.codec import decode_touchpoint, encode
from tests.support.tracker import untimed


def floor() -> None:
    """Run the tracker with no logic: every touchpoint is decoded, encoded and written."""

    def process(_partition: Any, records: list[Any], *_: Any) -> Output:
        output = Output()
        for record in records:
            value = encode(decode_touchpoint(record.value))
            output.write(topics.TOUCHPOINTS, record.key, value, record.timestamp)
        return output

    vars(tracker_app)["process"] = process
    tracker_app.run(Settings())


def same() -> None:
    """Run a Faust agent that does what the tracker does, each event by itself.

    A visitor's state is written to the table, and read from memory, as a table does it, too.
    """
    settings = Settings()
    rules = rules_of(settings)
    app = _app(settings)
    to = {topic.name: _topic(app, topic) for topic in topics.ALL}
    count = settings.kafka_partitions
    visitors = app.Table("visitors", key_type=bytes, value_type=bytes, partitions=count)
    partitions = {number: Partition(number) for number in range(count)}

    @app.agent(to[topics.RAW.name])
    async def track(stream: Any) -> None:
        async for event in stream.events():
            message = event.message
            record = Fetched(
                message.topic,
                message.partition,
                message.offset,
                int(message.timestamp * 1000),
                message.key,
                message.value,
            )
            partition = partitions[message.partition]
            outputs = (
                process(partition, [record], rules, count, untimed),
                *checkpoint(partition, rules, count, untimed),
            )
            for output in outputs:
                for topic, rows in output.rows.items():
                    for key, value, _ in rows:
                        await to[topic].send(key=key, value=value)
                for key, state, _ in output.state:
                    if key != META_KEY:  # Faust keeps the offset itself
                        visitors[key] = state

    faust.Worker(app, loglevel="WARNING", quiet=True).execute_from_commandline()


def _app(settings: Settings) -> faust.App:
    return faust.App(
        settings.tracker_group,
        broker=f"kafka://{settings.kafka_bootstrap_servers}",
        store="memory://",
        web_enabled=False,
        topic_disable_leader=True,
        topic_partitions=settings.kafka_partitions,
        table_standby_replicas=0,
        datadir=os.environ["BENCH_FOLDER"],
    )


def _topic(app: faust.App, topic: topics.Topic) -> Any:
    return app.topic(topic.name, value_serializer="raw", key_serializer="raw")


def plain() -> None:
    """Run a Faust agent that counts every visitor's touchpoints in a table."""
    settings = Settings()
    app = _app(settings)
    raw, written = _topic(app, topics.RAW), _topic(app, topics.TOUCHPOINTS)
    visitors = app.Table("visitors", default=int, partitions=settings.kafka_partitions)

    @app.agent(raw)
    async def track(stream: Any) -> None:
        async for event in stream.events():
            touchpoint = decode_touchpoint(event.value)
            visitors[touchpoint.anonymous_id] += 1
            await written.send(key=event.key, value=encode(touchpoint))

    faust.Worker(app, loglevel="WARNING", quiet=True).execute_from_commandline()


if __name__ == "__main__":
    {"floor": floor, "same": same, "plain": plain}[sys.argv[1]]()
