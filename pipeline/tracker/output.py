"""PURE: the output of the steps."""

from collections import Counter
from dataclasses import dataclass, field

from pipeline.kafka.records import Row
from pipeline.tracker.partition import Partition
from schemas import topics
from schemas.fates import Fate


@dataclass(slots=True)
class Output:
    """What must be sent: records per topic, and each record's fate.

    Facts and `state`, the changelog's entries, come with a checkpoint: those of all chunks since
    the last one, each once, in its newest form; `place` is sent before any of them. `messages` go
    to other partitions, by number. Once everything up to this output is durable, so is the log up
    to `offset`, if it has one.
    """

    rows: dict[str, list[Row]] = field(default_factory=dict)
    state: list[Row] = field(default_factory=list)
    messages: dict[int, list[Row]] = field(default_factory=dict)
    fates: Counter[Fate] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    offset: int | None = None
    place: Row | None = None

    def write(self, topic: topics.Topic, key: bytes | None, value: bytes, at: int) -> None:
        """Note a record for `topic`."""
        self.rows.setdefault(topic.name, []).append((key, value, at))

    def write_checkpoint(self, partition: Partition, states: list[Row]) -> None:
        """Note the collected facts and the changelog's entries."""
        self.state = states
        for topic, row in partition.take_facts():
            self.rows.setdefault(topic, []).append(row)
