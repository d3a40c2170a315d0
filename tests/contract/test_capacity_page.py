"""`docs/capacity.md` shows what the command prints and what it counts with."""

import re
import shlex

from click.testing import CliRunner

from pipeline.cli import main
from pipeline.operations import capacity
from tests.support.docs import ROOT

PAGE = (ROOT / "docs" / "capacity.md").read_text()


def test_the_page_shows_what_the_command_prints() -> None:
    command, printed = re.findall(r"```(?:sh)?\n(.*?)```", PAGE, re.DOTALL)[:2]
    done = CliRunner().invoke(main, shlex.split(command)[1:])
    assert done.output == printed


def test_the_page_says_what_the_plan_counts_with_and_nothing_measured_is_above_it() -> None:
    rows = re.findall(r"^\| the [^|]+ \| (\d+) µs \| (\d+) µs \| (\d+) µs \|$", PAGE, re.MULTILINE)
    rows += re.findall(
        r"^\| \w+'s disks?, each copy" + 3 * r" \| ([\d,]+) bytes" + r" \|$", PAGE, re.MULTILINE
    )
    planned = [int(each.replace(",", "")) for each, *_ in rows]
    times = (capacity.SINGLE_SECONDS, capacity.TRACK_SECONDS, capacity.SINK_SECONDS)
    assert planned == [
        *(round(seconds * 1e6) for seconds in times),
        capacity.KAFKA_BYTES,
        capacity.CLICKHOUSE_BYTES,
    ]
    assert all(
        int(m.replace(",", "")) <= p for p, (_, *ms) in zip(planned, rows, strict=True) for m in ms
    )
