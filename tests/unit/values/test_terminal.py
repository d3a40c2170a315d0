"""Nothing that somebody sent does anything to the terminal of whoever reads it."""

from io import StringIO

from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console
from rich.table import Table

from pipeline.terminal import Harmless, without_controls


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
