"""docs/questions.md, written from the files of `schemas/questions`.

python -m tests.support.questions_page      writes it
"""

import asyncio
import tempfile
from collections.abc import Iterator
from pathlib import Path

from clickhouse_connect.driver.client import Client

from schemas.questions import Question, questions
from tests.support.database import migrated_database
from tests.support.engine import EngineServer
from tests.support.grafana.boards import BOARDS
from tests.support.grafana.panels import Ask
from tests.support.stories import whole

PAGE = Path(__file__).parents[2] / "docs/questions.md"
MARK = "<!-- What follows is written by `python -m tests.support.questions_page`. -->\n"


_ABOUT_LIVE = """\
Only the live page asks these, and its JSON API answers them. They are made of the same parts, and
have no view."""


def write_page(prose: str, client: Client) -> str:
    """Give the page: `prose` by hand, then every question, then the parts they are made of."""
    known = questions().values()
    asked = [question for question in known if question.kind == "question"]
    parts = [f"- `{part.name}`: {part.asks}" for part in known if part.is_part]
    live = [f"- `{one.name}`: {one.asks}" for one in known if one.kind == "live"]
    sections = ["\n".join(_section(question, client)) for question in asked]
    lists = ["## Parts\n", "What questions are made of; they are views as well.\n", *parts, ""]
    lists += ["## Of the live page\n", f"{_ABOUT_LIVE}\n", *live, ""]
    return "\n".join([prose + MARK, *sections, *lists])


def _section(question: Question, client: Client) -> Iterator[str]:
    yield f"## {question.name}\n\n**{question.asks}** {_running(question.notes)}\n"
    yield f"Asked with {', '.join(f'`{one}`' for one in question.parameters)}.\n"
    yield f"Shown by {_shown_by(question)} and `touchstream ask {question.name}`.\n"
    yield "| column | type |\n|---|---|"
    for column in client.query(f"DESCRIBE TABLE {whole(question.name)}").named_results():
        yield f"| `{column['name']}` | `{column['type']}` |"
    yield ""


def _shown_by(question: Question) -> str:
    """Name the dashboards that have a panel of it."""
    asking = ((board, panel) for board in BOARDS for panel in board.panels)
    found = [b.title for b, p in asking if isinstance(p, Ask) and p.question == question.name]
    return ", ".join(f"*{title}*" for title in dict.fromkeys(found)) or "no dashboard"


def _running(notes: str) -> str:
    return " ".join(notes.split())


async def _main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        async with EngineServer(Path(folder) / "data") as engine:
            with migrated_database(engine) as client:
                PAGE.write_text(write_page(PAGE.read_text().partition(MARK)[0], client))


if __name__ == "__main__":
    asyncio.run(_main())
