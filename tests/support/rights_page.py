"""The table of rights in docs/kafka.md, as `pipeline.kafka.rights` has them. Shell.

`python -m tests.support.rights_page` writes it.
"""

from itertools import groupby
from pathlib import Path

from pipeline.kafka.rights import NEEDED, Right
from pipeline.settings import Settings

PAGE = Path(__file__).parents[2] / "docs" / "kafka.md"
_BEGIN, _END = "pipeline/kafka/rights.py -->\n", "<!-- end of rights -->"


def table() -> str:
    """Give the table, with the groups that the settings name by default."""
    rows = [
        f"| `{role}` | {operation} | {kind} | {', '.join(f'`{r.name}`' for r in rights)} |\n"
        for role, needed in NEEDED.items()
        for (operation, kind), rights in groupby(needed(Settings.model_construct()), _place)
    ]
    return "| command | operation | on | names |\n|---|---|---|---|\n" + "".join(rows)


def page() -> str:
    """Give docs/kafka.md with the table of now."""
    before, begin, rest = PAGE.read_text(encoding="utf-8").partition(_BEGIN)
    _, end, after = rest.partition(_END)
    assert begin, f"{PAGE} has no place for the table"
    assert end, f"the table's place in {PAGE} has no end"
    return f"{before}{begin}\n{table()}\n{end}{after}"


def _place(right: Right) -> tuple[str, str]:
    return right.operation, right.kind


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
