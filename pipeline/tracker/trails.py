"""The tracker with traces: a span for each slice of records, and one for the fold. Shell.

A row of `touchpoints` carries the trace of its own request on. What a slice or a fold makes of
several touchpoints carries that of the slice or the fold.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import msgspec

from pipeline.kafka.records import Row, carrying
from pipeline.tracing.spans import MOST_TRACES, Traces, of_topic
from pipeline.tracker.output import Output
from schemas.topics import RAW, TOUCHPOINTS, Headers


class _Placed(msgspec.Struct):
    """The offset that a row of `touchpoints` names."""

    kafka_offset: int


_placed = msgspec.json.Decoder(_Placed)


class Trails:
    """The traces of a worker; by partition, those of touchpoints that wait for their fold."""

    def __init__(self, traces: Traces) -> None:
        self._traces = traces
        self._waiting: dict[int, list[Headers]] = {}

    def process(self, number: int, records: Sequence[Any], work: Callable[[], Output]) -> Output:
        """Run the steps of a slice of partition `number`; its output carries its traces."""
        carried = {record.offset: record.headers for record in records if record.headers}
        about = of_topic(RAW.name, len(records))
        with self._traces.batch("process", about, carried.values()) as headers:
            output = work()
        if headers:
            waiting = [*self._waiting.get(number, ()), *carried.values()]
            self._waiting[number] = waiting[-MOST_TRACES:]
            own = output.rows.get(TOUCHPOINTS.name)
            _carry(output, headers)
            if own:
                output.rows[TOUCHPOINTS.name] = [_with_own(row, carried) for row in own]
        return output

    def fold(self, number: int, parts: Iterator[Output]) -> Iterator[Output]:
        """Make the parts of a checkpoint of partition `number`; they carry its traces."""
        carried = self._waiting.get(number)
        if not carried:
            yield from parts
            return
        about = of_topic(RAW.name, len(carried))
        with self._traces.batch("fold", about, carried) as headers:
            for part in parts:
                _carry(part, headers)
                if part.offset is not None:  # else somebody goes on waiting
                    del self._waiting[number]
                yield part


def _carry(output: Output, headers: Headers) -> None:
    for rows in (*output.rows.values(), *output.messages.values()):
        rows[:] = [carrying(row, headers) for row in rows]


def _with_own(row: Row, carried: dict[int, Headers]) -> Row:
    place = _placed.decode(row[1] or b"{}").kafka_offset
    return carrying(row, carried.get(place, ()))
