"""The tables of a running system against its log, for a span, and their repair. Shell.

It waits until tracker and sink have read the log as it stands, replays the log, and compares. What
differs is looked at twice: a row that was just being changed is right the second time.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from clickhouse_connect.driver.client import Client

from pipeline.journey.rules import Rules
from pipeline.kafka.lag import is_all_read
from pipeline.kafka.records import RawRecord
from pipeline.operations.comparison import Difference, Row, Tables, compare
from pipeline.operations.oracle import cut_in, ends_of, expected_tables, read_log
from pipeline.operations.rebuild.command import rebuild_people
from pipeline.operations.rebuild.run import Rebuilt
from pipeline.operations.rebuild.told import Placed
from pipeline.reports.span import Span
from pipeline.settings import Settings
from pipeline.tracker.items import DecodedItem
from pipeline.tracker.partition import Partition
from pipeline.tracker.rules import rules_of
from pipeline.tracker.steps import Chunk
from schemas.errors import TouchstreamError, Unusable
from schemas.times import instant

_PATIENCE_SECONDS = 120
_TIME_OF = {
    "touchpoints": "occurred_at",
    "sessions": "started_at",
    "transitions": "at",
    "abandonments": "opened_at",
    "dead_letters": "at",
}
"""The column with the time of a row; identities and links have none, and are always compared."""


class LogCut(Unusable):
    """The log has lost its beginning; the text says what can be done all the same."""


class NotReadYet(TouchstreamError):
    """Tracker or sink do not read; the text says what to do."""


class Checked(NamedTuple):
    """What was compared, and what differs."""

    log: Sequence[Sequence[RawRecord]]
    expected: Tables
    differences: list[Difference]


async def check(settings: Settings, client: Client, span: Span) -> Checked:
    """Compare what the tables hold of a site and a span with the replayed log.

    Raises:
        LogCut: the log has lost its beginning.
        NotReadYet: tracker and sink do not read it.
    """
    first = await _look(settings, client, span)
    if not first.differences:
        return first
    second = await _look(settings, client, span)
    places = {each[:3] for each in first.differences}
    return second._replace(differences=[one for one in second.differences if one[:3] in places])


async def _look(settings: Settings, client: Client, span: Span) -> Checked:
    log = await read_log(settings)
    refuse_cut(log)
    if not await is_all_read(settings, _PATIENCE_SECONDS):
        raise NotReadYet(
            f"tracker or sink have not read the log within {_PATIENCE_SECONDS} seconds: see that "
            "both run (`touchstream health track`, `touchstream health sink`), then verify again"
        )
    checked = Checked(log, expected_tables(log, rules_of(settings)), [])
    found = compare(client, checked.expected, ends_of(log), in_span(span))
    return checked._replace(differences=found)


def in_span(span: Span) -> Callable[[str, Row], bool]:
    """Tell, of a table and a row, whether it is of the site and the time of `span`."""

    def is_asked(table: str, row: Row) -> bool:
        time = _TIME_OF.get(table)
        is_in_time = time is None or span.start <= row[time] < span.end
        return is_in_time and span.site in ("", row["site"])

    return is_asked


def refuse_cut(log: Sequence[Sequence[RawRecord]]) -> None:
    """Raise LogCut if a partition of `log` does not begin with its first record."""
    cut = [record.timestamp for record in cut_in(log)]
    if cut:
        raise LogCut(
            f"the log begins at {instant(max(cut)):%F %T} only, and the oracle needs all of it: "
            "`touchstream verify` without a span compares the sessions with plain SQL, "
            "`touchstream rebuild` recomputes a site from its table of touchpoints"
        )


async def repair(settings: Settings, checked: Checked) -> dict[str, Rebuilt]:
    """Put right what differs, with `rebuild`; give what was done, by site.

    Touchpoints that are missing or wrong are told again from the log, and everybody whose rows
    differ is computed anew. Touchpoints that the log does not know stay: it may be another log.
    Dead letters stay as they are, too.

    Raises:
        RebuildFailed: it broke off.
    """
    done = {}
    for site, wrong in wrong_in(checked).items():
        again = told_again(checked.log, rules_of(settings), site, wrong.ids)
        names = wrong.names | _together(checked.expected, site, wrong.names)
        done[site] = await rebuild_people(settings, site, sorted(names), wrong.ids, again)
    return done


@dataclass
class Wrong:
    """What is wrong of a site: whose rows, and touchpoints of the log, each a visitor and an id."""

    names: set[str] = field(default_factory=set)
    ids: set[tuple[str, str]] = field(default_factory=set)


def wrong_in(checked: Checked) -> dict[str, Wrong]:
    """Give whom a repair concerns, by site."""
    found: dict[str, Wrong] = defaultdict(Wrong)
    for each in checked.differences:
        expected = checked.expected[each.table].get(each.id)
        row = expected or each.actual
        if each.table == "dead_letters" or not isinstance(row, dict):
            continue
        if each.table != "touchpoints":
            found[row["site"]].names.add(row["visitor_id"])
        elif expected:
            found[row["site"]].names.add(row["visitor_id"])
            found[row["site"]].ids.add((row["visitor_id"], row["touchpoint_id"]))
    return found


def _together(expected: Tables, site: str, names: set[str]) -> set[str]:
    """Name everybody who is one person with one of `names`, as the log knows it."""
    persons = {
        row["visitor_id"]: row["person_id"]
        for row in expected["identities"].values()
        if row["site"] == site
    }
    concerned = {persons.get(name, name) for name in names}
    return {name for name, person in persons.items() if person in concerned}


def told_again(
    log: Sequence[Sequence[RawRecord]], rules: Rules, site: str, ids: set[tuple[str, str]]
) -> list[Placed]:
    """Give the touchpoints `ids` of a site as the table must have them, and their places.

    That is the first copy in the log, or the one of the last rebuild.
    """
    found: dict[tuple[str, str], Placed] = {}
    for item in _decoded(log, rules):
        id_ = (item.visitor_id, item.touchpoint.touchpoint_id)
        if item.touchpoint.site != site or id_ not in ids:
            continue
        if item.rebuild or id_ not in found:
            place = item.offset if item.place is None else item.place
            found[id_] = Placed(item.touchpoint, place)
    return [*found.values()]


def _decoded(log: Sequence[Sequence[RawRecord]], rules: Rules) -> Iterator[DecodedItem]:
    for number, records in enumerate(log):
        chunk = Chunk(Partition(number), rules, len(log), records=records)
        chunk.decode()
        yield from (item for item in chunk.decoded if isinstance(item, DecodedItem))
