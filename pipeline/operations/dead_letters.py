"""Send dead letters again once their cause is gone. Shell: from ClickHouse back into Kafka.

What happens to a dead letter depends on the stage that refused it:

- `track`: its bytes are a record of `touchpoints.raw` and go there again, to the partition of
  their key.
- `import`: its payload is the row of the file; the row goes through a mapping again (corrected,
  or of a newer version) and gets the id that the import would have given it.
- `collect`: its bytes are a call, an event or a request; the collector's door reads it again, with
  what came with it.
- `sink`, `webhook`: its bytes are a row that ClickHouse, or a fact that an endpoint refused; it
  goes back to the topic and partition that it stood in, for the same role to try again. (The other
  one reads it too: an equal row, a message with an idempotency key that was there before.)

Only what is now accepted is sent, so nothing dies twice of the same cause. Letters stay in the
table, and sending one twice changes nothing: ids are the same. They go in order of their times, and
then silence passes for their sites as after an import. A touchpoint that is older than the allowed
lateness by now is kept as late: `touchstream rebuild` has it count.
"""

import asyncio
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import chain
from operator import attrgetter
from typing import Any, NamedTuple

import msgspec
from clickhouse_connect.driver.client import Client

from pipeline.importer.mapping import Mapping
from pipeline.importer.plan import outgoing_of
from pipeline.importer.rows import Row, RowIds, touchpoint_of
from pipeline.importer.send import SILENCE_AFTER
from pipeline.kafka.producer import Producer
from pipeline.kafka.records import Record, partition_for
from pipeline.privacy.masking import USUAL, Masks
from schemas.codec import Refused, Tick, decode_touchpoint, encode
from schemas.dead_letter import DeadLetter, Reason
from schemas.times import EPOCH, milliseconds
from schemas.topics import RAW, TABLES, record_key
from schemas.touchpoint import Touchpoint

Reader = Callable[[DeadLetter], Sequence[Touchpoint]]
"""Reads a letter as its stage would today; Refused if it still cannot be accepted."""

_LETTERS = """
SELECT dead_letter_id, site, stage, reason, detail, source, position, payload, encoding, at,
    request
FROM dead_letters FINAL
WHERE ({site:String} = '' OR site = {site:String})
    AND ({stage:String} = '' OR stage = {stage:String})
    AND ({reason:String} = '' OR reason = {reason:String})
ORDER BY source, position
"""


_CHUNK = 5_000
_BACK_IN_PLACE = frozenset({"sink", "webhook"})


@dataclass
class ReplaySummary:
    """The result: letters that were sent, refused again, or left because nothing reads them."""

    sent: int = 0
    refused: Counter[Reason] = field(default_factory=Counter)
    left: Counter[str] = field(default_factory=Counter)


def read_record(letter: DeadLetter) -> Sequence[Touchpoint]:
    """Read a letter of the stage `track`."""
    return [decode_touchpoint(raw_of(letter))]


def row_reader(mapping: Mapping, now: datetime) -> Reader:
    """Make the reader of the stage `import`; it gets the letters in the order of their rows."""
    ids: dict[str, RowIds] = defaultdict(lambda: RowIds(mapping))

    def read_row(letter: DeadLetter) -> Sequence[Touchpoint]:
        row = _object(letter)
        row_id = ids[letter.source].next(row)
        return [touchpoint_of(row, mapping, site=letter.site, row_id=row_id, now=now)]

    return read_row


async def replay_dead_letters(
    client: Client,
    producer: Producer,
    readers: dict[str, Reader],
    *,
    site: str = "",
    stage: str = "",
    reason: str = "",
    now: Callable[[], datetime],
    masks: Masks = USUAL,
) -> ReplaySummary:
    """Send the letters of this site, stage and reason again; empty means all.

    `readers` are by stage; letters of a stage without one are left, except those of `sink` and
    `webhook`, which need none.

    Raises:
        NotAcknowledged: Kafka did not accept all of them; run it again, nothing counts twice.
    """
    summary = ReplaySummary()
    which = {"site": site, "stage": stage, "reason": reason}
    found: list[_Again] = []
    with client.query_row_block_stream(_LETTERS, parameters=which) as blocks:
        for block in blocks:
            again = (
                _again(letter, readers, producer, summary, masks, now())
                for letter in map(letter_of, block)
            )
            found.extend(chain.from_iterable(again))
    found.sort(key=attrgetter("at"))  # files and letters have another order than what they tell of
    await _send(producer, found, now)
    await _let_time_pass(producer, found, now())
    summary.sent = len(found)
    return summary


async def _send(producer: Producer, found: Sequence["_Again"], now: Callable[[], datetime]) -> None:
    for start in range(0, len(found), _CHUNK):
        batches: dict[tuple[str, int], list[Record]] = defaultdict(list)
        for again in found[start : start + _CHUNK]:
            record = Record(again.key, again.value, milliseconds(now()))
            batches[again.topic, again.partition].append(record)
        await asyncio.gather(*(producer.send(*to, batch) for to, batch in batches.items()))


async def _let_time_pass(producer: Producer, found: Sequence["_Again"], now: datetime) -> None:
    """Judge the silence after the last touchpoint of each site, as an import does."""
    lasts = {again.site: again.at for again in found if again.site}
    for site, last in lasts.items():
        tick = encode(Tick(tick=min(last + SILENCE_AFTER, now), site=site))
        numbers = range(producer.partitions(RAW.name))
        row = Record(None, tick, milliseconds(now))
        await producer.send_all({(RAW.name, number): [row] for number in numbers})


class _Again(NamedTuple):
    """A record to send: that of a touchpoint, with its site and time."""

    topic: str
    partition: int
    key: bytes | None
    value: bytes
    at: datetime
    site: str = ""


class _Keyed(msgspec.Struct):
    site: str
    visitor_id: str


def letter_of(row: Sequence[Any]) -> DeadLetter:
    """Make a dead letter of a table row, whose columns are in the order of its fields."""
    letter = DeadLetter(**dict(zip(DeadLetter.__struct_fields__, row, strict=True)))
    letter.at = letter.at.replace(tzinfo=UTC)
    return letter


def _again(
    letter: DeadLetter,
    readers: dict[str, Reader],
    producer: Producer,
    summary: ReplaySummary,
    masks: Masks,
    now: datetime,
) -> list[_Again]:
    topic, _, partition = letter.source.rpartition("-")
    goes_back = letter.stage in _BACK_IN_PLACE and topic in TABLES and partition.isdecimal()
    if letter.stage not in readers and not goes_back:
        summary.left[letter.stage] += 1
        return []
    try:
        if goes_back:
            raw = raw_of(letter)
            return [_Again(topic, int(partition), _key(raw), raw, letter.at)]
        told = readers[letter.stage](letter)
        return [_told_again(one, producer, masks, now) for one in told]
    except Refused as refused:
        summary.refused[refused.reason] += 1
        return []


def _told_again(touchpoint: Touchpoint, producer: Producer, masks: Masks, now: datetime) -> _Again:
    _refuse_time(touchpoint, now)
    at, key, value = outgoing_of(touchpoint, masks)
    partition = partition_for(key, producer.partitions(RAW.name))
    return _Again(RAW.name, partition, key, value, at, touchpoint.site)


def _refuse_time(touchpoint: Touchpoint, now: datetime) -> None:
    """Refuse what the tracker would refuse again, with a new dead letter for each replay."""
    if not EPOCH < touchpoint.occurred_at <= now + timedelta(days=1):
        raise Refused(Reason.TIME_OUT_OF_RANGE, "before 1970, or more than a day in the future")


def raw_of(letter: DeadLetter) -> bytes:
    """Give the bytes that were refused; Refused if the letter is broken."""
    try:
        return letter.raw()
    except ValueError:
        raise Refused(Reason.NOT_JSON, "the payload is not the base64 that it says") from None


def _key(row: bytes) -> bytes | None:
    try:
        keyed = msgspec.json.decode(row, type=_Keyed)
    except msgspec.MsgspecError:
        return None
    return record_key(keyed.site, keyed.visitor_id)


def _object(letter: DeadLetter) -> Row:
    try:
        return msgspec.json.decode(letter.payload, type=Row)
    except msgspec.ValidationError as error:
        raise Refused(Reason.NOT_AN_OBJECT, str(error)) from None
    except msgspec.DecodeError as error:
        raise Refused(Reason.NOT_JSON, str(error)) from None
