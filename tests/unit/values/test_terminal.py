"""Nothing that somebody sent does anything to the terminal of whoever reads it."""

from io import StringIO

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console, Group
from rich.table import Table

from pipeline.terminal import Harmless, print_whole, without_controls


def test_a_table_shows_what_would_clear_the_screen() -> None:
    table = Table()
    table.add_column("campaign\x07")
    table.add_row("spring\x1b[2J\x9b31m")
    out = StringIO()
    Console(file=out, width=60, force_terminal=True).print(Harmless(table))
    shown = out.getvalue()
    assert "\x1b[2J" not in shown
    assert "\x9b" not in shown
    assert "spring\ufffd[2J\ufffd31m" in shown


@given(st.text())
def test_no_control_character_is_left_but_lines_and_tabs(text: str) -> None:
    shown = without_controls(text)
    assert len(text) == len(shown)
    assert {c for c in shown if ord(c) < 32 or 127 <= ord(c) < 160} <= {"\n", "\t"}


class Terminal(StringIO):
    """A terminal of 80 columns."""

    def isatty(self) -> bool:
        return True


FIGURES = st.integers(0, 10**13).map("{:,}".format) | st.floats(0, 1e9).map("{:,.2f} EUR".format)
ROWS = st.lists(st.lists(FIGURES, min_size=6, max_size=6), min_size=1, max_size=4)


@given(ROWS, st.text("abc :[]/", min_size=1, max_size=90))
def test_no_figure_is_cut_or_broken_at_80_columns_and_nothing_in_a_pipe(
    rows: list[list[str]], name: str
) -> None:
    table = Table()
    table.add_column("what", overflow="fold")
    for number in range(6):
        table.add_column(f"figure {number}", justify="right")
    for row in rows:
        table.add_row(name, *row)
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("COLUMNS", "80")
        shown, piped = Terminal(), StringIO()
        print_whole(Group("title", table), shown)
        print_whole(Group("title", table), piped)
    for row in rows:
        assert any(all(figure in line for figure in row) for line in shown.getvalue().splitlines())
    assert name in piped.getvalue()
    assert "…" not in shown.getvalue() + piped.getvalue()


def test_brackets_and_colons_in_a_name_are_neither_colours_nor_pictures() -> None:
    table = Table()
    table.add_column("name")
    table.add_row("[/red] :smile: [bold]x")
    out = StringIO()
    print_whole(table, out)
    assert "[/red] :smile: [bold]x" in out.getvalue()
