"""PURE: how a partition rebuilds a site, by the rebuild that began last.

When it begins, the memory of the people concerned is cleared. From then on the log replays what
they did, in order of time, and their clock follows the replayed touchpoints. Live touchpoints are
written meanwhile, and replayed at the end. A rebuild that sends nothing for `SILENCE` counts as
aborted: new touchpoints then count immediately, and the site is correct again after the next
rebuild.
"""

from collections.abc import Iterable, Iterator

from msgspec import structs

from pipeline.journey.messages import Rebuild
from pipeline.tracker.anew import Anew
from pipeline.tracker.partition import NODE, PERSON, Partition, site_of
from pipeline.tracker.touched import Touched
from schemas.topics import record_key

SILENCE = 10 * 60 * 1000
"""Milliseconds."""


def hear_rebuild(partition: Partition, touched: Touched, message: Rebuild, offset: int) -> None:
    """Carry out the message at `offset`, unless a newer rebuild has begun."""
    known = partition.rebuilds.get(message.site)
    if known is not None and message.at < known.at:
        return
    if message.stage == "begin":
        _begin(partition, touched, message, offset)
    elif known is not None and known.is_open:
        known.heard_at = message.said_at
        if message.stage == "end":
            partition.end_rebuild(message.site, message.now)


def break_off(partition: Partition, tick_at: int) -> None:
    """End the rebuilds that have been silent for too long at the tick of the time `tick_at`."""
    for site, rebuild in partition.rebuilds.items():
        if rebuild.is_open and tick_at > rebuild.heard_at + SILENCE:
            partition.end_rebuild(site, 0)


def _begin(partition: Partition, touched: Touched, message: Rebuild, offset: int) -> None:
    site, known = message.site, partition.rebuilds.get(message.site) or Anew(0)
    if known.is_open and known.at < message.at:
        partition.end_rebuild(site, 0)
    all_at = known.all_at if message.names else message.at
    partition.rebuilds[site] = Anew(message.at, all_at, message.said_at)
    for name in message.names:
        erased = partition.erased(site, name)
        at, told = max(erased.at, message.at), max(erased.told, message.at)
        partition.note_erased(site, name, structs.replace(erased, at=at, told=told))
    partition.linked.clear()
    for key in list(_keys(partition, message)):
        partition.waiting.pop(key, None)
        if partition.offset_of(key) <= offset:
            touched.drop(key)


def _keys(partition: Partition, message: Rebuild) -> Iterable[bytes]:
    if message.names:
        return _keys_of(message)
    known = (partition.states, partition.waiting)
    return {key for keys in known for key in keys if site_of(key) == message.site}


def _keys_of(message: Rebuild) -> Iterator[bytes]:
    for name in message.names:
        key = record_key(message.site, name)
        yield from (key, PERSON + key, NODE + key)
