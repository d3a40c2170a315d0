"""The mapping file: what it may say, and how its mistakes are named."""

import re
from pathlib import Path

import pytest

from pipeline.importer.mapping import BadMapping, parse_mapping
from pipeline.importer.send import load_mapping

DOCS = Path(__file__).parents[3] / "docs"

SMALLEST = """
channel = "shop"
[columns]
occurred_at = "when"
anonymous_id = "who"
name = "what"
"""


@pytest.mark.parametrize("path", sorted((DOCS / "mappings").glob("*.toml")), ids=lambda p: p.stem)
def test_every_mapping_of_the_docs_can_be_used(path: Path) -> None:
    assert load_mapping(path).columns.occurred_at != ()


def test_every_whole_mapping_in_the_page_about_imports_can_be_used() -> None:
    page = (DOCS / "import.md").read_text(encoding="utf-8")
    mappings: list[str] = re.findall(r"```toml\n(.*?)```", page, re.DOTALL)
    whole = [parse_mapping(toml, "import.md") for toml in mappings if "[columns]" in toml]
    assert len(whole) > 0


def test_a_single_column_is_a_list_of_one() -> None:
    assert parse_mapping(SMALLEST, "m.toml").columns.anonymous_id == ("who",)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("channel = ", "m.toml: not TOML: Invalid value (at end of document)"),
        (SMALLEST + "what = 1", "m.toml: columns.what: Extra inputs are not permitted"),
        (SMALLEST.replace('"shop"', '"market"'), "m.toml: channel: Input should be 'website',"),
        (SMALLEST.replace("occurred_at", "url"), "m.toml: columns.occurred_at: Field required"),
        (
            SMALLEST.replace("anonymous_id", "url"),
            "m.toml: columns: name a column for anonymous_id, user_id or both",
        ),
        (
            SMALLEST.replace("name", "url"),
            "m.toml: columns.name: name a column, or write an event rule without `from`",
        ),
        (
            SMALLEST + '[[events]]\nfrom = "a"\npath_prefix = "/a"\nname = "A"',
            "m.toml: columns.url: path_prefix needs a column with the URL",
        ),
        (
            SMALLEST + '[time]\nformat = "dd.mm.yyyy"',
            'm.toml: time.format: must be "iso", "epoch_s", "epoch_ms", "epoch_us" or a pattern',
        ),
        (
            SMALLEST + '[time]\nformat = "%d/%m/%Y %X:%M"',
            "m.toml: time.format: no pattern: it says a part of the time twice",
        ),
        (SMALLEST + "[time]\nformat = []", "m.toml: time.format: name at least one"),
        (
            SMALLEST + '[time]\nzone = "Berlin"',
            "m.toml: time.zone: no time zone 'Berlin'; write one such as \"Europe/Berlin\"",
        ),
        (
            SMALLEST + '[[events]]\nfrom = "a"\nname = ""',
            "m.toml: events.0.name: String should have at least 1 character",
        ),
    ],
)
def test_a_bad_mapping_is_refused_with_file_key_and_reason(text: str, complaint: str) -> None:
    with pytest.raises(BadMapping) as refusal:
        parse_mapping(text, "m.toml")
    assert str(refusal.value).startswith(complaint)


def test_a_missing_mapping_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadMapping, match=r"absent\.toml: cannot be read"):
        load_mapping(tmp_path / "absent.toml")
