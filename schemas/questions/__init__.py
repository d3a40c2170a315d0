"""Every question to ClickHouse, defined once: a file with its SQL here, a view in the database.

`touchstream migrate` turns each file into a parameterised view with the name of the file. Grafana,
the live page, the commands and you use it in the same way:
`SELECT * FROM sources(site = 'shop', start = …, …)`.

A file begins with the question as a comment. A part, from which questions are built (in `parts/`),
begins with a sentence. The questions in `live/` have no view: only the live page asks them, as they
are written. In a file, `name(*)` asks another question with the same parameters, and
`name(*, start = …)` with one of them changed. The view contains the SQL of its parts: ClickHouse
plans a view within a view again for every view around it.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from importlib.resources.abc import Traversable
from itertools import takewhile
from typing import Literal, NamedTuple

Kind = Literal["part", "question", "live"]

_PARAMETER = re.compile(r"\{(\w+):([^{}]+)\}")
_ASKED = re.compile(r"\b(\w+)\(\*")
_GIVEN = re.compile(r"(\w+) = ")
_BRACKET = re.compile(r"[()]")


@dataclass(frozen=True)
class Question:
    """A question or a part: what it asks, its parameters with their types, and its SQL.

    `made_of` names the questions and parts in its file; `sql` contains their SQL.
    """

    name: str
    asks: str
    notes: str
    kind: Kind
    made_of: frozenset[str]
    parameters: Mapping[str, str]
    sql: str

    @property
    def is_part(self) -> bool:
        """Whether it is only there for others."""
        return self.kind == "part"

    @property
    def view(self) -> str:
        """The statement that makes the view."""
        comment = self.asks.replace("\\", "\\\\").replace("'", "\\'")
        return f"CREATE OR REPLACE VIEW {self.name} AS\n{self.sql}\nCOMMENT '{comment}'"


Texts = Mapping[str, tuple[Kind, str]]
"""What each file is, by its name, and its text."""


@cache
def questions() -> dict[str, Question]:
    """Read all files: parts, questions, questions of the live page."""
    return read(dict(_texts()))


def read(texts: Texts) -> dict[str, Question]:
    """Read questions from their texts.

    Raises:
        KeyError: a question asks another one that does not exist.
        ValueError: a bracket is not closed.
    """
    return {name: _question(name, texts) for name in texts}


def _texts() -> Iterator[tuple[str, tuple[Kind, str]]]:
    folder = resources.files(__name__)
    places: dict[Kind, Traversable] = {
        "part": folder / "parts",
        "question": folder,
        "live": folder / "live",
    }
    for kind, place in places.items():
        for file in sorted(place.iterdir(), key=_name):
            if file.name.endswith(".sql"):
                yield _name(file), (kind, file.read_text(encoding="utf-8"))


def _name(file: Traversable) -> str:
    return file.name.removesuffix(".sql")


def _question(name: str, texts: Texts) -> Question:
    kind, text = texts[name]
    asks, *notes = (line.removeprefix("--").strip() for line in _comment(text))
    sql = _sql(text)
    return Question(
        name=name,
        asks=asks,
        notes="\n".join(notes).strip(),
        kind=kind,
        made_of=frozenset(asked.name for asked in _asked(sql)),
        parameters=_parameters(sql, texts),
        sql=_written_out(sql, texts),
    )


def _comment(text: str) -> list[str]:
    return list(takewhile(lambda line: line.startswith("--"), text.strip().splitlines()))


def _sql(text: str) -> str:
    lines = text.strip().splitlines()
    return "\n".join(lines[len(_comment(text)) :]).rstrip(";")


def _parameters(sql: str, texts: Texts) -> dict[str, str]:
    """Return the parameters in the order of their places, with those of the questions it asks."""
    found = dict(_PARAMETER.findall(sql))
    for asked in _asked(sql):
        inner = _parameters(_sql(texts[asked.name][1]), texts)
        found |= {name: type_ for name, type_ in inner.items() if name not in asked.given}
    return found


class _Asked(NamedTuple):
    """A place where a file asks another one, and the parameters that it changes there."""

    name: str
    start: int
    end: int
    given: Mapping[str, str]


def _asked(sql: str) -> Iterator[_Asked]:
    for found in _ASKED.finditer(sql):
        depth, end = 1, found.end()
        while depth:
            bracket = _BRACKET.search(sql, end)
            if bracket is None:
                raise ValueError(f"a bracket is not closed: {sql[found.start() :]}")
            depth, end = depth + (1 if bracket[0] == "(" else -1), bracket.end()
        yield _Asked(found[1], found.start(), end, _given(sql[found.end() : end - 1]))


def _given(words: str) -> dict[str, str]:
    """Read `, start = …, end = …`."""
    _, *pairs = _GIVEN.split(words)
    return {name: value.strip(", ") for name, value in zip(pairs[::2], pairs[1::2], strict=True)}


def _written_out(sql: str, texts: Texts) -> str:
    """Replace each asked question by its SQL, with the given values in place of its parameters."""
    pieces, done = [], 0
    for asked in _asked(sql):
        inner = _written_out(_sql(texts[asked.name][1]), texts)
        pieces += [sql[done : asked.start], f"(\n{_with(asked.given, inner)}\n)"]
        done = asked.end
    return "".join([*pieces, sql[done:]])


def _with(given: Mapping[str, str], sql: str) -> str:
    return _PARAMETER.sub(lambda one: f"({given[one[1]]})" if one[1] in given else one[0], sql)
