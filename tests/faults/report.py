"""What became of each fault, as a table.

python -m tests.faults.report
"""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

FILE = Path(__file__).parents[2] / "build" / "faults.json"


@dataclass
class Outcome:
    """One fault with one seed; `wrong` says what differs from the oracle or from plain SQL."""

    fault: str
    seed: int
    acknowledged: int
    in_clickhouse: int
    lost: int
    doubled: int
    made_up: int
    wrong: list[str]
    seconds_to_recover: float

    @property
    def faults(self) -> list[str]:
        """Name what is not as it must be."""
        counts = {"lost": self.lost, "doubled": self.doubled, "made up": self.made_up}
        return [f"{count} {what}" for what, count in counts.items() if count] + self.wrong[:5]


def keep(outcome: Outcome) -> None:
    """Write an outcome into the file, in place of an earlier one of the same fault and seed."""
    others = [o for o in read() if (o.fault, o.seed) != (outcome.fault, outcome.seed)]
    FILE.parent.mkdir(exist_ok=True)
    FILE.write_text(json.dumps([asdict(o) for o in [*others, outcome]], indent=1), encoding="utf-8")


def read() -> list[Outcome]:
    """Give what the file holds."""
    if not FILE.exists():
        return []
    return [Outcome(**each) for each in json.loads(FILE.read_text(encoding="utf-8"))]


def table(outcomes: list[Outcome]) -> Table:
    """Give a line for each fault: sums over its seeds, and the longest recovery."""
    found = Table(title="Faults")
    for name in (
        "fault",
        "seeds",
        "acknowledged",
        "in ClickHouse",
        "lost",
        "doubled",
        "wrong",
        "s",
    ):
        found.add_column(name, justify="left" if name == "fault" else "right")
    for fault in dict.fromkeys(o.fault for o in outcomes):
        these = [o for o in outcomes if o.fault == fault]
        found.add_row(
            fault,
            str(len(these)),
            f"{sum(o.acknowledged for o in these):,}",
            f"{sum(o.in_clickhouse for o in these):,}",
            str(sum(o.lost for o in these)),
            str(sum(o.doubled for o in these)),
            str(sum(len(o.wrong) + o.made_up for o in these)),
            f"{max(o.seconds_to_recover for o in these):.1f}",
        )
    return found


if __name__ == "__main__":
    Console().print(table(read()))
