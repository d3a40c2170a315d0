"""Files of touchpoints into the log. Shell: reads, sends, counts; `pipeline.importer.plan` decides.

Nothing is sent before every file has been read to its end.
"""

import asyncio
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from rich.progress import Progress
from rich.table import Table
from rich.text import Text

from pipeline.importer.files import rows_of
from pipeline.importer.join import Read, joined
from pipeline.importer.mapping import (
    BadMapping,
    Mapping,
    parse_mapping,
)
from pipeline.importer.plan import FileOutcome, Outgoing, Plan
from pipeline.importer.rows import ImportFailed
from pipeline.importer.unpacked import what_broke
from pipeline.importer.wrapped import unwrapped
from pipeline.kafka.producer import NotAcknowledged, Producer
from pipeline.kafka.records import Record, partition_for
from pipeline.privacy.masking import USUAL, Masks
from pipeline.values.texts import line
from schemas.codec import Tick, decode_touchpoint, encode, encode_fact
from schemas.dead_letter import DeadLetter, Reason
from schemas.times import milliseconds
from schemas.topics import DEAD_LETTERS, RAW
from schemas.touchpoint import Touchpoint

_CHUNK = 5_000

# A day is the allowed lateness; one more hour lets the last carts be judged too.
SILENCE_AFTER = timedelta(hours=25)


@dataclass(frozen=True)
class ImportSummary:
    """What an import did."""

    files: int
    rows: int
    touchpoints: int
    refused: dict[Reason, int]
    first: datetime
    last: datetime
    outcomes: Sequence[FileOutcome] = ()
    unknown: Sequence[str] = ()
    doubts: Sequence[str] = ()

    @property
    def lost(self) -> list[str]:
        """The files of which not a single row could be used."""
        return [
            file.name for file in self.outcomes if file.rows and file.rows == file.refused.total()
        ]


def load_mapping(path: Path) -> Mapping:
    """Read a mapping file; BadMapping if it is invalid."""
    try:
        return parse_mapping(path.read_bytes(), str(path))
    except OSError as error:
        raise BadMapping(f"{path}: cannot be read: {what_broke(error)}") from error


async def read_files(
    paths: Sequence[Path],
    mapping: Mapping,
    *,
    site: str,
    now: datetime,
    progress: Progress,
    read: Read = rows_of,
    masks: Masks = USUAL,
) -> list[Touchpoint]:
    """Give the touchpoints of `paths` in order of time, without sending anything.

    Raises:
        ImportFailed: a file cannot be read, or no row can be used; the text says what to do.
    """
    plan = Plan(mapping, site, now, masks=masks)
    for path in paths:
        await asyncio.to_thread(_read, path, mapping, plan, progress, read)
    return [decode_touchpoint(one.value) for one in plan.in_order()]


async def import_files(
    paths: Sequence[Path],
    mapping: Mapping,
    producer: Producer,
    *,
    site: str,
    now: Callable[[], datetime],
    progress: Progress,
    read: Read = rows_of,
    masks: Masks = USUAL,
) -> ImportSummary:
    """Send the touchpoints of `paths` in order of time, then let the time of `site` pass.

    Rows that cannot be touchpoints become dead letters. Importing again writes the same values.

    Raises:
        ImportFailed: a file cannot be read, no row can be used, there are too many, or Kafka
            does not acknowledge; the text says what to do.
    """
    plan = Plan(mapping, site, now(), masks=masks)
    for path in paths:
        await asyncio.to_thread(_read, path, mapping, plan, progress, read)
    outgoing, letters = plan.in_order(), plan.letters()
    last = outgoing[-1].occurred_at
    try:
        await _send_all(producer, outgoing, letters, now, progress)
        await _let_time_pass(producer, site, min(last + SILENCE_AFTER, now()), now())
    except NotAcknowledged as error:
        raise ImportFailed(
            f"Kafka did not accept everything: {error}. Import again when it answers; nothing "
            "counts twice."
        ) from error
    return _summary(plan, outgoing, letters)


def _summary(
    plan: Plan, outgoing: Sequence[Outgoing], letters: Sequence[DeadLetter]
) -> ImportSummary:
    outcomes = plan.outcomes()
    return ImportSummary(
        files=len(outcomes),
        rows=plan.rows,
        touchpoints=len(outgoing),
        refused=Counter(letter.reason for letter in letters),
        first=outgoing[0].occurred_at,
        last=outgoing[-1].occurred_at,
        outcomes=outcomes,
        unknown=plan.unknown(),
        doubts=plan.doubts(),
    )


def summary_table(summary: ImportSummary) -> Table:
    """Format the result of an import for a terminal."""
    table = Table.grid(padding=(0, 2))
    table.add_column()
    table.add_column(justify="right")
    table.add_row("Files", f"{summary.files:,}")
    table.add_row("Rows read", f"{summary.rows:,}")
    table.add_row("Touchpoints sent", f"{summary.touchpoints:,}")
    for reason, count in sorted(summary.refused.items()):
        table.add_row(f"Refused: {reason}", f"{count:,}")
    for file in summary.outcomes:
        if file.refused:
            refused = f"{file.name}: refused {file.refused.total():,} of"
            table.add_row(Text(line(refused)), f"{file.rows:,}")
            table.add_row(Text(f"  the first: {line(file.first_refusal)}"), "")
    table.add_row("From", f"{summary.first:%Y-%m-%d %H:%M} UTC")
    table.add_row("To", f"{summary.last:%Y-%m-%d %H:%M} UTC")
    return table


def _read(path: Path, mapping: Mapping, plan: Plan, progress: Progress, read: Read) -> None:
    task = progress.add_task(path.name, total=None)
    before = plan.rows
    plan.open(path.name)
    rows = unwrapped(read(path, mapping.file), mapping)
    rows = joined(rows, mapping, path.parent, read)
    for row in progress.track(rows, task_id=task):
        plan.add(row)
    progress.update(task, total=plan.rows - before)


async def _send_all(
    producer: Producer,
    outgoing: Sequence[Outgoing],
    letters: Iterable[DeadLetter],
    now: Callable[[], datetime],
    progress: Progress,
) -> None:
    buried = [(letter.site.encode(), encode_fact(letter)) for letter in letters]
    await _send(producer, DEAD_LETTERS.name, buried, now, progress)
    await _send(producer, RAW.name, [(key, value) for _, key, value in outgoing], now, progress)


async def _send(
    producer: Producer,
    topic: str,
    keyed: Sequence[tuple[bytes, bytes]],
    now: Callable[[], datetime],
    progress: Progress,
) -> None:
    task = progress.add_task(f"Sending to {topic}", total=len(keyed))
    for start in range(0, len(keyed), _CHUNK):
        chunk = keyed[start : start + _CHUNK]
        batches = _by_partition(chunk, producer.partitions(topic), now())
        await asyncio.gather(*(producer.send(topic, *batch) for batch in batches.items()))
        progress.advance(task, len(chunk))


def _by_partition(
    keyed: Iterable[tuple[bytes, bytes]], partitions: int, now: datetime
) -> dict[int, list[Record]]:
    batches: dict[int, list[Record]] = defaultdict(list)
    for key, value in keyed:
        batches[partition_for(key, partitions)].append(Record(key, value, milliseconds(now)))
    return batches


async def _let_time_pass(producer: Producer, site: str, until: datetime, now: datetime) -> None:
    tick = Record(None, encode(Tick(tick=until, site=site)), milliseconds(now))
    partitions = range(producer.partitions(RAW.name))
    await asyncio.gather(*(producer.send(RAW.name, partition, [tick]) for partition in partitions))
