"""README.md and the docs: what they name exists.

Commands are parsed by the CLI itself, up to `--help`: an unknown command or option fails.
"""

import re
import tomllib
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from shlex import shlex

import click
import pytest
import yaml
from click.testing import CliRunner

from pipeline.cli import main
from pipeline.cli.commands import COMMANDS as LISTED
from pipeline.settings import Settings

ROOT = Path(__file__).parents[2]
PAGES = {
    str(path.relative_to(ROOT)): path.read_text(encoding="utf-8")
    for path in (*sorted(ROOT.glob("*.md")), *sorted(ROOT.glob("docs/*.md")))
}

_FENCE = re.compile(r"^```\w*\n(.*?)^```", re.MULTILINE | re.DOTALL)
_INLINE = re.compile(r"`([^`]+)`")
_COMMAND = re.compile(r"^(?:\S*/)?touchstream (?=\S)(.+)$")
_IN_CONTAINER = re.compile(r"^docker compose run --rm (\w+)(.*)$")
_LINK = re.compile(r"\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
_OURS = re.compile(r"(?:\.ci|deploy|docs|pipeline|schemas|sinks|tests)/[\w./-]*")

_SOURCES = {"TOUCHSTREAM_CONFIG", "TOUCHSTREAM_SECRETS_DIR"}
"""Variables that say where settings stand."""

COMPOSE_FILE = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
COMPOSE = COMPOSE_FILE["services"]


def code(text: str) -> Iterator[str]:
    """Give the lines of code in a page; inline code is one line."""
    for fence in _FENCE.findall(text):
        yield from fence.replace("\\\n", "").splitlines()
    for inline in _INLINE.findall(_FENCE.sub("", text)):
        yield " ".join(inline.split())


def words(line: str) -> list[str]:
    """Split as a shell does, up to a pipe, a redirection, a comment or the next command."""
    lexer = shlex(line, posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    found: list[str] = []
    for word in lexer:
        if word[0] in "|>;&":
            break
        found.append(word)
    return found


def commands(text: str) -> Iterator[list[str]]:
    """Give the arguments of every call of `touchstream`, also of those in our containers."""
    for line in code(text):
        if match := _COMMAND.match(line):
            yield words(match[1])
        elif match := _IN_CONTAINER.match(line):
            yield words(match[2]) or COMPOSE[match[1]]["command"]


def found_in_code(pattern: str) -> list[tuple[str, str]]:
    return sorted(
        {(p, m) for p, text in PAGES.items() for c in code(text) for m in re.findall(pattern, c)}
    )


def exit_code(arguments: list[str]) -> int:
    return CliRunner().invoke(main, [*arguments, "--help"]).exit_code


def slug(heading: str) -> str:
    """Give the anchor of a heading."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def broken_links(page: str, text: str) -> list[str]:
    return [
        link
        for link in _LINK.findall(_FENCE.sub("", text))
        if not link.startswith(("https://", "http://")) and not leads_somewhere(page, link)
    ]


def leads_somewhere(page: str, link: str) -> bool:
    name, _, anchor = link.partition("#")
    target = (ROOT / page).parent / name if name else ROOT / page
    if not anchor:
        return target.exists()
    return target.exists() and anchor in map(slug, _HEADING.findall(target.read_text()))


COMMANDS = sorted({(page, *found) for page, text in PAGES.items() for found in commands(text)})


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_a_command_exists_and_knows_its_options(command: tuple[str, ...]) -> None:
    _page, *arguments = command
    assert exit_code(arguments) == 0


@pytest.mark.parametrize("line", ["touchstream nonsense", "touchstream report --nonsense x"])
def test_what_is_no_command_is_found(line: str) -> None:
    [arguments] = commands(f"```sh\n{line} | less\n```")
    assert exit_code(arguments) != 0


def test_a_command_ends_where_the_shell_ends_it() -> None:
    text = "`.venv/bin/touchstream query\n  'SELECT 1 | 2' --format TSV > x; rm x`"
    assert list(commands(text)) == [["query", "SELECT 1 | 2", "--format", "TSV"]]


def test_every_command_that_is_not_hidden_is_shown() -> None:
    visible = {name for name, command in LISTED.items() if command.summary}
    assert visible - {first for _, first, *_ in COMMANDS} == set()


@pytest.mark.parametrize("name", LISTED)
def test_every_command_of_the_table_is_there(name: str) -> None:
    command = main.get_command(click.Context(main), name)
    assert command is not None
    assert (command.name, command.hidden) == (name, not LISTED[name].summary)


def test_every_target_of_make_exists() -> None:
    targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert [where for where in found_in_code(r"^make ([a-z-]+)") if where[1] not in targets] == []


def test_every_module_that_is_run_exists() -> None:
    modules = found_in_code(r"python -m ([\w.]+)")
    assert [where for where in modules if find_spec(where[1]) is None] == []


def test_every_variable_is_a_setting() -> None:
    known = {*(f"TOUCHSTREAM_{name.upper()}" for name in Settings.model_fields)}
    named = {
        (page, name)
        for page, text in PAGES.items()
        for name in re.findall(r"TOUCHSTREAM_\w*[A-Z]\b", text)
    }
    unknown = [where for where in named if where[1] not in known | _SOURCES]
    assert unknown == []


def test_every_file_of_ours_exists() -> None:
    made = {"deploy/secrets", "deploy/settings/touchstream.toml"}
    made |= {*(secret["file"][2:] for secret in COMPOSE_FILE["secrets"].values())}
    files = found_in_code(rf"^({_OURS.pattern})$")
    missing = [where for where in files if not (ROOT / where[1]).exists()]
    assert [where for where in missing if where[1] not in made] == []


def test_every_dependency_has_its_reason_and_no_other_has() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = [project["dependencies"], *project["optional-dependencies"].values()]
    names = {re.split(r"[^\w-]", line)[0] for lines in wanted for line in lines}
    section = PAGES["docs/dependencies.md"]
    table = section.partition("\n## ")[0]
    assert names == set(re.findall(r"^\| `([\w-]+)` \|", table, re.MULTILINE))


@pytest.mark.parametrize("page", PAGES)
def test_every_link_to_a_place_of_ours_leads_there(page: str) -> None:
    assert broken_links(page, PAGES[page]) == []


@pytest.mark.parametrize("link", ["docs/nothing.md", "#nowhere", "docs/errors.md#nowhere"])
def test_a_broken_link_is_found(link: str) -> None:
    assert broken_links("README.md", f"[text]({link})") == [link]
