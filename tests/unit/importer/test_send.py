"""Files into the log: what stands in Kafka after an import."""

import gzip
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner
from rich.console import Console
from rich.progress import Progress

from pipeline.cli import main
from pipeline.importer.mapping import parse_mapping
from pipeline.importer.plan import LARGEST_ROW, FileOutcome, Plan
from pipeline.importer.rows import ImportFailed
from pipeline.importer.send import ImportSummary, import_files, summary_table
from pipeline.kafka.in_memory import ManualClock, MemoryBroker
from pipeline.kafka.producer import NotAcknowledged
from pipeline.kafka.records import Record, partition_for
from pipeline.terminal import progress_bar
from schemas.codec import Tick, decode_tick, decode_touchpoint, is_tick
from schemas.dead_letter import DeadLetter, Reason
from schemas.topics import DEAD_LETTERS, RAW
from schemas.touchpoint import Touchpoint
from tests.support.puffy import MAPPINGS, ROWS, TOUCHPOINTS, puffy_files

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
MAPPING = """
channel = "shop"
leave_out = "secret"
[columns]
occurred_at = "when"
anonymous_id = "who"
name = "what"
"""
HEADER = "when,who,what,secret\n"


def write(path: Path, *rows: str) -> Path:
    path.write_text(HEADER + "".join(f"{row},hush\n" for row in rows))
    return path


async def imported(
    paths: Sequence[Path], broker: MemoryBroker, now: datetime = NOW, mapping: str = MAPPING
) -> ImportSummary:
    return await import_files(
        paths,
        parse_mapping(mapping, "m.toml"),
        broker,
        site="shop",
        now=ManualClock(now),
        progress=Progress(disable=True),
    )


def touchpoints(records: Sequence[Record]) -> list[Touchpoint]:
    values = [record.value for record in records]
    return [decode_touchpoint(value) for value in values if value and not is_tick(value)]


def letters(broker: MemoryBroker) -> list[DeadLetter]:
    return [
        msgspec.json.decode(record.value or b"", type=DeadLetter)
        for record in broker.records(DEAD_LETTERS.name)
    ]


async def test_all_rows_are_sent_by_time_over_all_files_in_the_partition_of_their_key(
    tmp_path: Path,
) -> None:
    visitors = [f"v{number}" for number in range(20)]
    late = write(tmp_path / "a.csv", *(f"2025-03-02,{visitor},Seen" for visitor in visitors))
    early = write(tmp_path / "b.csv", *(f"2025-03-01,{visitor},Seen" for visitor in visitors))
    broker = MemoryBroker()
    await imported([late, early], broker)
    assert len(touchpoints(broker.records(RAW.name))) == 40
    for partition in range(broker.partition_count):
        records = broker.log[RAW.name, partition][:-1]
        times = [touchpoint.occurred_at for touchpoint in touchpoints(records)]
        assert times == sorted(times)
        assert {partition_for(record.key or b"", 4) for record in records} == {partition}


async def test_rows_of_the_same_time_stay_in_the_order_of_their_file(tmp_path: Path) -> None:
    rows = [f"2025-03-01,v,Step {number}" for number in (3, 1, 2)]
    broker = MemoryBroker()
    await imported([write(tmp_path / "a.csv", *rows)], broker)
    names = [touchpoint.name for touchpoint in touchpoints(broker.records(RAW.name))]
    assert names == ["Step 3", "Step 1", "Step 2"]


async def test_records_carry_the_wall_clock_and_never_the_time_of_history(tmp_path: Path) -> None:
    broker = MemoryBroker()
    await imported([write(tmp_path / "a.csv", "2025-03-01,v,Seen", "2025-03-01,,Seen")], broker)
    records = broker.records(RAW.name) + broker.records(DEAD_LETTERS.name)
    assert {record.timestamp_ms for record in records} == {int(NOW.timestamp() * 1000)}


async def test_every_partition_ends_with_a_tick_of_the_site_25_hours_after_the_last_row(
    tmp_path: Path,
) -> None:
    broker = MemoryBroker()
    await imported([write(tmp_path / "a.csv", "2025-03-01T10:00:00Z,v,Seen")], broker)
    last = [broker.log[RAW.name, partition][-1] for partition in range(4)]
    expected = Tick(tick=datetime(2025, 3, 2, 11, tzinfo=UTC), site="shop")
    assert [decode_tick(record.value or b"") for record in last] == [expected] * 4
    assert {record.key for record in last} == {None}


async def test_the_time_of_the_last_tick_is_never_ahead_of_the_clock(tmp_path: Path) -> None:
    broker = MemoryBroker()
    await imported([write(tmp_path / "a.csv", "2026-01-01T10:00:00Z,v,Seen")], broker)
    tick = decode_tick(broker.log[RAW.name, 0][-1].value or b"")
    assert tick.tick == NOW


async def test_importing_again_writes_the_same_keys_and_values(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", "2025-03-01,v,Seen", "2025-03-01,v,Seen", "2025-03-01,,Seen")
    first, second = MemoryBroker(), MemoryBroker()
    await imported([path], first)
    await imported([path], second, now=NOW + timedelta(days=9))
    for topic in (RAW.name, DEAD_LETTERS.name):
        one, other = (
            [(record.key, record.value) for record in broker.records(topic)]
            for broker in (first, second)
        )
        assert one == other


async def test_an_overlapping_export_under_another_name_gives_the_same_ids(tmp_path: Path) -> None:
    rows = ["2025-03-01,v,Seen", "2025-03-01,v,Seen", "2025-03-02,v,Seen"]
    broker = MemoryBroker()
    await imported(
        [write(tmp_path / "1.csv", *rows), write(tmp_path / "2.csv", "2025-02-28,w,Seen", *rows)],
        broker,
    )
    ids = [touchpoint.touchpoint_id for touchpoint in touchpoints(broker.records(RAW.name))]
    assert (len(ids), len(set(ids))) == (7, 4)


async def test_refused_rows_become_dead_letters_with_their_row_and_are_counted(
    tmp_path: Path,
) -> None:
    path = write(tmp_path / "a.csv", "2025-03-02,v,Seen", "2025-03-01,,Seen", "soon,v,Seen")
    broker = MemoryBroker()
    summary = await imported([path], broker)
    nobody, never = letters(broker)
    assert (summary.rows, summary.touchpoints) == (3, 1)
    assert summary.refused == {Reason.NO_VISITOR_ID: 1, Reason.INVALID_TIME: 1}
    assert (nobody.stage, nobody.source, nobody.position) == ("import", "a.csv", 2)
    assert nobody.payload == '{"when":"2025-03-01","who":"","what":"Seen"}'
    assert (never.reason, never.position) == (Reason.INVALID_TIME, 3)
    assert {record.key for record in broker.records(DEAD_LETTERS.name)} == {b"shop"}
    assert len(broker.log[DEAD_LETTERS.name, partition_for(b"shop", 4)]) == 2


async def test_a_dead_letter_has_the_time_of_its_row_else_the_first_of_its_file(
    tmp_path: Path,
) -> None:
    broker = MemoryBroker()
    await imported(
        [
            write(tmp_path / "a.csv", "2025-03-05,,Seen", "2025-03-04,v,Seen", "soon,v,Seen"),
            write(tmp_path / "b.csv", "soon,v,Seen"),
        ],
        broker,
    )
    assert [letter.at.day for letter in letters(broker)] == [5, 4, 4]


async def test_an_unreadable_line_becomes_a_dead_letter_with_its_bytes(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(b'{"when":"2025-03-01","who":"v","what":"Seen"}\n{"who":"\xff}\n')
    broker = MemoryBroker()
    await imported([path], broker)
    [letter] = letters(broker)
    assert (letter.raw(), letter.reason) == (b'{"who":"\xff}', Reason.NOT_JSON)


async def test_a_row_too_large_for_a_record_is_refused_and_quoted_in_part(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    row = {"when": "2025-03-01", "who": "v", "what": "Seen"}
    large = row | {"text": "x" * LARGEST_ROW}
    path.write_bytes(b"\n".join(map(msgspec.json.encode, (row, large))))
    broker = MemoryBroker()
    summary = await imported([path], broker)
    [letter] = letters(broker)
    assert summary.refused == {Reason.TOO_LARGE: 1}
    assert len(letter.payload) == LARGEST_ROW


async def test_what_the_mapping_leaves_out_leaves_the_file_nowhere(tmp_path: Path) -> None:
    broker = MemoryBroker()
    await imported([write(tmp_path / "a.csv", "2025-03-01,v,Seen", "2025-03-01,,Seen")], broker)
    records = broker.records(RAW.name) + broker.records(DEAD_LETTERS.name)
    assert [record for record in records if b"hush" in (record.value or b"")] == []


async def test_an_import_of_which_no_row_can_be_used_sends_nothing(tmp_path: Path) -> None:
    broker = MemoryBroker()
    with pytest.raises(ImportFailed) as failed:
        await imported([write(tmp_path / "a.csv", "2025-03-01,,Seen", "2025-03-01,,Seen")], broker)
    assert str(failed.value) == (
        "none of 2 rows can be used (no_visitor_id 2; the first: row 1 of a.csv: "
        "neither anonymous_id nor user_id is set). Does the mapping fit the files? The columns "
        "found are: when, who, what, secret. Nothing was sent."
    )
    assert dict(broker.log) == {}


async def test_an_import_without_rows_says_so(tmp_path: Path) -> None:
    with pytest.raises(ImportFailed, match="the files hold no rows"):
        await imported([write(tmp_path / "a.csv")], MemoryBroker())


async def test_a_file_that_breaks_off_sends_nothing_of_the_others(tmp_path: Path) -> None:
    good, broken = write(tmp_path / "a.csv", "2025-03-01,v,Seen"), tmp_path / "b.csv.gz"
    broken.write_bytes(gzip.compress(b"when,who,what,secret\n")[:-9])
    broker = MemoryBroker()
    with pytest.raises(ImportFailed, match=r"b\.csv\.gz"):
        await imported([good, broken], broker)
    assert dict(broker.log) == {}


def test_more_rows_than_fit_into_memory_are_refused() -> None:
    plan = Plan(parse_mapping(MAPPING, "m.toml"), "shop", NOW, most_rows=2)
    plan.open("a.csv")
    plan.add({})
    plan.add({})
    with pytest.raises(ImportFailed, match="more than 2 rows: import them in several runs"):
        plan.add({})


async def test_a_broker_that_does_not_acknowledge_is_told_with_what_to_do(tmp_path: Path) -> None:
    broker = MemoryBroker(is_down=True)
    with pytest.raises(ImportFailed, match="Import again when it answers") as failed:
        await imported([write(tmp_path / "a.csv", "2025-03-01,v,Seen")], broker)
    assert isinstance(failed.value.__cause__, NotAcknowledged)


async def test_the_puffy_exports_give_the_counts_of_their_defects() -> None:
    broker = MemoryBroker()
    mapping = (MAPPINGS / "puffy.toml").read_text(encoding="utf-8")
    summary = await imported(puffy_files(), broker, mapping=mapping)
    assert (summary.files, summary.rows, summary.touchpoints) == (9, ROWS, TOUCHPOINTS)
    assert summary.refused == {Reason.NO_VISITOR_ID: 1_277}
    sent = touchpoints(broker.records(RAW.name))
    assert len({touchpoint.touchpoint_id for touchpoint in sent}) == TOUCHPOINTS


def test_the_bar_shows_on_a_terminal_only() -> None:
    disabled = [progress_bar(Console(force_terminal=is_one)).disable for is_one in (True, False)]
    assert disabled == [False, True]


def test_the_summary_names_every_reason_with_its_count() -> None:
    summary = ImportSummary(1, 3_001, 3_000, {Reason.NO_VISITOR_ID: 1}, NOW, NOW)
    console = Console(width=60)
    with console.capture() as capture:
        console.print(summary_table(summary))
    lines = [line.split() for line in capture.get().splitlines()]
    assert ["Touchpoints", "sent", "3,000"] in lines
    assert ["Refused:", "no_visitor_id", "1"] in lines


def test_a_dry_run_reads_everything_and_needs_no_kafka(tmp_path: Path) -> None:
    rows = write(tmp_path / "day.csv", "2025-02-23T10:00:00Z,ada,Page Viewed", "never,ada,Look")
    (tmp_path / "own.toml").write_text(MAPPING)
    arguments = ["import", str(rows), "--mapping", str(tmp_path / "own.toml"), "--dry-run"]
    said = CliRunner().invoke(main, arguments)
    assert (said.exit_code, "nothing was sent" in said.output) == (0, True)
    counts = dict(line.rsplit(maxsplit=1) for line in said.output.splitlines() if ":" not in line)
    assert (counts["Rows read"], counts["Touchpoints sent"]) == ("2", "1")


@pytest.mark.parametrize("site", ["Shop Ü", "", "SHOP", "shop/1", "shop\n"])
def test_what_no_site_can_be_called_is_said_before_a_row_is_read(site: str, tmp_path: Path) -> None:
    rows = write(tmp_path / "day.csv", "2025-02-23T10:00:00Z,ada,Page Viewed")
    (tmp_path / "own.toml").write_text(MAPPING)
    arguments = ["import", str(rows), "--mapping", str(tmp_path / "own.toml"), "--dry-run"]
    said = CliRunner().invoke(main, [*arguments, "--site", site])
    assert (said.exit_code, "no name of a site" in said.output) == (2, True)


@pytest.mark.parametrize(
    ("rows", "mapping", "why"),
    [
        ("nowhere.csv", "own.toml", "nowhere.csv: No such file or directory"),
        ("", "own.toml", ": Is a directory"),
        ("day.csv", "nowhere.toml", "nowhere.toml: cannot be read: No such file or directory"),
    ],
)
def test_a_file_that_is_not_there_is_said_in_words(
    rows: str, mapping: str, why: str, tmp_path: Path
) -> None:
    (tmp_path / "own.toml").write_text(MAPPING)
    write(tmp_path / "day.csv", "2025-02-23T10:00:00Z,ada,Page Viewed")
    arguments = ["import", str(tmp_path / rows), "--mapping", str(tmp_path / mapping), "--dry-run"]
    said = CliRunner().invoke(main, arguments)
    assert said.exit_code != 0
    assert why in said.output
    assert "Errno" not in said.output


# --- what does not fit ---------------------------------------------------------------------------


async def test_each_file_says_how_many_of_its_rows_were_refused_and_the_first(
    tmp_path: Path,
) -> None:
    good = write(tmp_path / "a.csv", "2025-03-01,v,Seen", "2025-03-01,,Seen")
    bad = write(tmp_path / "b.csv", "never,v,Seen")
    summary = await imported([good, bad], MemoryBroker())
    first, second = summary.outcomes
    assert (first.rows, first.refused) == (2, {Reason.NO_VISITOR_ID: 1})
    assert first.first_refusal == "row 2 of a.csv: neither anonymous_id nor user_id is set"
    assert (second.rows, second.refused) == (1, {Reason.INVALID_TIME: 1})
    assert summary.lost == ["b.csv"]


async def test_a_column_that_the_mapping_names_and_no_row_has_is_named(tmp_path: Path) -> None:
    mapping = MAPPING + '\n[properties]\nordr = "order_id"\n'
    path = write(tmp_path / "a.csv", "2025-03-01,v,Seen")
    summary = await imported([path], MemoryBroker(), mapping=mapping)
    assert "properties: ordr" in summary.unknown


async def test_what_is_mistyped_is_named_beside_json_too_and_in_the_error(tmp_path: Path) -> None:
    mapping = MAPPING.replace('leave_out = "secret"\n', "").replace(
        "[columns]",
        'json_columns = ["data"]\nnumbers = ["summ", "price"]\nleave_out = ["emial"]\n'
        '[[events]]\nfrom = "Bought"\nname = "Order Completed"\nwhere = {stae = "paid"}\n'
        '[properties]\nordr = "order_id"\nlines = "products"\n[products]\nskuu = "product_id"\n'
        '[columns]\nprevious_id = "formr"',
        1,
    )
    path = tmp_path / "a.csv"
    data = '"{""order"": 1, ""lines"": [{""sku"": 1, ""price"": ""2""}]}"'
    path.write_text(f"when,who,what,data\n2025-03-01,v,Seen,{data}\n")
    summary = await imported([path], MemoryBroker(), mapping=mapping)
    assert set(summary.unknown) == {
        "columns.previous_id: formr",
        "numbers: summ",
        "leave_out: emial",
        "properties: ordr",
        "products: skuu",
        "events.where: stae",
    }
    path.write_text(f"when,whoo,what,data\n2025-03-01,v,Seen,{data}\n")
    with pytest.raises(ImportFailed, match=r"It names what no row has: .*who"):
        await imported([path], MemoryBroker(), mapping=mapping)


async def test_a_file_can_be_joined_by_a_key(tmp_path: Path) -> None:
    (tmp_path / "people.csv").write_text("id,plan\nv,gold\n")
    mapping = MAPPING.replace(
        "[columns]", '[[join]]\nfile = "people.csv"\non = "who"\nkey = "id"\n\n[columns]', 1
    )
    broker = MemoryBroker()
    paths = [write(tmp_path / "a.csv", "2025-03-01,v,Seen", "2025-03-01,w,Seen")]
    await imported(paths, broker, mapping=mapping)
    found = {
        seen.anonymous_id: msgspec.json.decode(seen.properties)
        for seen in touchpoints(broker.records(RAW.name))
    }
    assert (found["v"]["plan"], "plan" in found["w"]) == ("gold", False)


@pytest.mark.parametrize(
    ("amounts", "more", "is_doubtful"),
    [
        (("19,99", "1.234"), "", True),
        (("1.234,5", "1.234"), "", True),
        (("1.234", "19,99 \u20ac"), "", True),
        (("1.234", "19.99"), "", False),
        (("19,99", "1234"), "", False),
        (("19,99", "1.234"), 'file = { decimal = "," }', False),
        (("1,234", "1.234"), "", False),
    ],
)
async def test_amounts_that_were_probably_misread_are_told(
    tmp_path: Path, amounts: tuple[str, ...], more: str, is_doubtful: bool
) -> None:
    file = tmp_path / "a.csv"
    rows = "".join(f"2025-03-01;v;Order Completed;{amount}\n" for amount in amounts)
    file.write_text(f"when;who;what;sum\n{rows}")
    mapping = more + MAPPING + '[properties]\nsum = "revenue"\n'
    summary = await imported([file], MemoryBroker(), mapping=mapping)
    assert is_doubtful == bool(summary.doubts)
    assert all('decimal = ","' in doubt and "1.234" in doubt for doubt in summary.doubts)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (
            "Report of the shop,,\n\nwhen,who,what\n2025-03-01,v,x\n",
            "found are: Report of the shop",
        ),
        ("Report of the shop\nwhen,who,what\n2025-03-01,v,x\n", "delete it"),
        ("2025-03-01,v,x\n2025-03-02,v,x\n", "found are: 2025-03-01, v, x."),
        ("when^who^what\n2025-03-01^v^x\n", "write delimiter = '^'"),
        ("when~who~what\n2025-03-01~v~x\n", "write delimiter = '~'"),
        ("when:who:what\na:v:x\n", "write delimiter = ':'"),
        ("WANN;WER;WAS\n2025-03-01;v;x\n", "The columns found are: WANN, WER, WAS."),
    ],
)
async def test_an_import_that_does_not_fit_shows_the_columns_and_what_may_be_wrong(
    tmp_path: Path, content: str, said: str
) -> None:
    (tmp_path / "a.csv").write_text(content)
    with pytest.raises(ImportFailed) as failed:
        await imported([tmp_path / "a.csv"], MemoryBroker())
    assert said in str(failed.value)


def test_a_dry_run_advises_no_replacement_of_what_was_never_imported(tmp_path: Path) -> None:
    (tmp_path / "own.toml").write_text(MAPPING.replace("secret", "other"))
    rows = tmp_path / "day.csv"
    rows.write_text('when,who,what,price\n2025-03-01,v,Seen,"19,99"\n2025-03-01,v,Seen,"1.234"\n')
    arguments = ["import", str(rows), "--mapping", str(tmp_path / "own.toml"), "--dry-run"]
    said = CliRunner().invoke(main, arguments)
    assert "has a comma before its cents" in said.output
    assert "--replace" not in said.output


def test_a_file_that_is_missing_is_said_before_anybody_waits_for_kafka(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TOUCHSTREAM_KAFKA_BOOTSTRAP_SERVERS", "127.0.0.1:1")
    monkeypatch.setenv("TOUCHSTREAM_CLICKHOUSE_URL", "http://127.0.0.1:1")
    (tmp_path / "own.toml").write_text(MAPPING)
    arguments = ["import", str(tmp_path / "no.csv"), "--mapping", str(tmp_path / "own.toml")]
    said = CliRunner().invoke(main, arguments)
    assert "no.csv: No such file" in said.output
    assert "Kafka" not in said.output


def test_a_refusal_is_printed_as_it_is_and_not_as_markup() -> None:
    refusal = "row 1 of [red]a.csv: below [time] \x1b[2J[/x]"
    outcome = FileOutcome("[/x]a.csv", 2, Counter({Reason.INVALID_TIME: 1}), refusal)
    summary = ImportSummary(1, 2, 1, {Reason.INVALID_TIME: 1}, NOW, NOW, (outcome,))
    console = Console(width=90)
    with console.capture() as capture:
        console.print(summary_table(summary))
    assert "row 1 of [red]a.csv: below [time]  [2J[/x]" in capture.get()
    assert "[/x]a.csv: refused 1 of" in capture.get()
