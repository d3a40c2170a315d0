"""Writes what was measured into `docs/sdks.md`."""

from pathlib import Path

_PAGE = Path(__file__).parents[2] / "docs" / "sdks.md"
_BEGIN, _END = "<!-- make clients writes what follows -->", "<!-- until here -->"


def write_page(table: str, *, is_whole: bool) -> None:
    """Put `table` into the page; if it is not of all clients, the others keep their lines."""
    text = _PAGE.read_text(encoding="utf-8")
    before, _, rest = text.partition(_BEGIN)
    old, _, after = rest.partition(_END)
    kept = [] if is_whole else old.strip().splitlines()
    merged = "\n".join(renewed(kept, table.splitlines()))
    _PAGE.write_text(f"{before}{_BEGIN}\n\n{merged}\n\n{_END}{after}", encoding="utf-8")


def renewed(old: list[str], new: list[str]) -> list[str]:
    """Give the lines of a table, those that are measured anew in the place of the old ones."""
    lines = {client_of(line): line for line in new}
    known = [lines.pop(client_of(line), line) for line in old]
    return known + list(lines.values())


def client_of(line: str) -> str:
    """Give family and client of a line."""
    return "|".join(line.split("|")[:3])
