"""The shipped list of traffic sources, and what a person who writes a wrong one is told."""

from pathlib import Path

import pytest

from schemas.traffic import KINDS, BadSources, load_sources

SHIPPED = load_sources()


def own(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "own.toml"
    path.write_text(text)
    return path


def test_the_list_says_under_which_licence_it_stands() -> None:
    head = (Path(__file__).parents[2] / "schemas/traffic/sources.toml").read_text().split("[", 1)[0]
    assert "Apache-2.0" in head
    assert "CC0 1.0" in head


@pytest.mark.parametrize("kind", KINDS)
def test_there_are_sources_of_every_kind_and_each_says_by_what_it_is_known(kind: str) -> None:
    entries = getattr(SHIPPED, kind)
    assert len(entries) >= 10
    assert [name for name, spellings in entries.items() if not spellings] == []


def test_what_stands_for_a_channel_is_no_listed_source_so_that_the_medium_decides() -> None:
    names = {name for kind in KINDS for name in SHIPPED.entries(kind)}
    assert {origin.source for origin in SHIPPED.channels.values()} & names == set()


def test_a_file_adds_sources_and_replaces_those_that_it_names_again(tmp_path: Path) -> None:
    path = own(
        tmp_path,
        '[shopping]\nidealo = ["idealo.example"]\nfinder = ["finder.example"]\n'
        '[click_ids]\nfid = { source = "finder", medium = "cpc" }\n',
    )
    found = load_sources([path])
    assert found.shopping["idealo"] == ("idealo.example",)
    assert found.shopping["finder"] == ("finder.example",)
    assert found.shopping["ebay"] == SHIPPED.shopping["ebay"]
    assert found.click_ids["fid"].medium == "cpc"


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("search = ", "not TOML: Invalid value (at end of document)"),
        ('[serach]\nmine = ["a.example"]', "serach: Extra inputs are not permitted"),
        ("search = 1", "search: Input should be a valid dictionary"),
        ('[search]\nmine = "a.example"', "search.mine: Input should be a valid tuple"),
        ('[search]\nmine = ["A.example"]', "search.mine: write 'A.example' in lower case"),
        ('[search]\nmine = ["t.co"]', "'t.co' belongs to both search.mine and social.twitter"),
        ('[channels]\nfax = { source = "fax", medium = "fax" }', "channels.fax.[key]: Input"),
        ('[click_ids]\nx = { source = "x" }', "click_ids.x.medium: Field required"),
    ],
)
def test_a_bad_list_is_refused_with_file_place_and_reason(
    text: str, complaint: str, tmp_path: Path
) -> None:
    path = own(tmp_path, text)
    with pytest.raises(BadSources) as refusal:
        load_sources([path])
    assert str(refusal.value).startswith(f"{path}: {complaint}")


def test_a_list_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadSources, match=r"none\.toml: not a readable file$"):
        load_sources([tmp_path / "none.toml"])
