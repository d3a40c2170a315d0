"""Writes what was measured into `docs/sdks.md`."""

import re
from pathlib import Path

_PAGE = Path(__file__).parents[2] / "docs" / "sdks.md"
_BEGIN, _END = "<!-- make clients writes what follows -->", "<!-- until here -->"


def write_page(table: str) -> None:
    """Put `table` in the place of the one that is there."""
    text = _PAGE.read_text(encoding="utf-8")
    place = re.compile(f"{re.escape(_BEGIN)}.*?{re.escape(_END)}", re.DOTALL)
    _PAGE.write_text(place.sub(lambda _: f"{_BEGIN}\n\n{table}\n\n{_END}", text), encoding="utf-8")
