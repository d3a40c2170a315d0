"""What a file's columns look like, to somebody whose mapping does not fit them. PURE."""

from collections import Counter
from collections.abc import Sequence

from pipeline.values.texts import line

_MOST_NAMES = 20
_LONGEST = 40
_IN_NAMES = frozenset(" _-.'\"()[]/")
_UNNAMED = "column "


def columns_found(names: Sequence[str]) -> str:
    """Name the columns and what is probably wrong with them, with a blank before each sentence."""
    if not names:
        return ""
    told = [line(name)[:_LONGEST] for name in names[:_MOST_NAMES]]
    more = f" and {len(names) - _MOST_NAMES} more" if len(names) > _MOST_NAMES else ""
    return f" The columns found are: {', '.join(told)}{more}.{_doubt(names)}"


def _doubt(names: Sequence[str]) -> str:
    if len(names) == 1 and (mark := _delimiter_in(names[0])):
        return (
            f" If {mark!r} stands between the cells, write delimiter = {mark!r} below [file] in "
            "the mapping."
        )
    if len(names) == 1 or any(name.startswith(_UNNAMED) for name in names):
        return " If a title stands above the names of the columns, delete it."
    return ""


def _delimiter_in(name: str) -> str:
    """Give what stands most often between the words of `name`, if it is something unusual."""
    marks = Counter(mark for mark in name if not mark.isalnum() and mark not in _IN_NAMES)
    [(mark, _)] = marks.most_common(1) or [("", 0)]
    return mark
