"""docs/kafka.md: the rights that each command needs."""

from tests.support.rights_page import PAGE, page


def test_the_table_is_what_the_code_asks_for() -> None:
    """Else run `python -m tests.support.rights_page`."""
    assert page() == PAGE.read_text(encoding="utf-8")
