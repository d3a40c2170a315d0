"""TOML as people save it: with a mark before it, or in an encoding that it does not have."""

import codecs
from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline.importer.send import load_mapping
from pipeline.settings import Settings
from pipeline.settings.sources import TomlFile
from schemas.journeys import SHIPPED as MODELS
from schemas.journeys import load_model
from schemas.toml import NotToml, parsed_toml
from schemas.traffic import load_sources
from schemas.watch import SHIPPED as RULES
from schemas.watch import load_rules

Read = Callable[[Path], object]
MAPPINGS = Path(__file__).parents[3] / "docs" / "mappings"


def settings(path: Path) -> object:
    return TomlFile(Settings, path).toml_data


READERS: dict[str, tuple[Read, bytes]] = {
    "mapping": (load_mapping, (MAPPINGS / "puffy.toml").read_bytes()),
    "settings": (settings, b"session_gap = 'PT30M'\n"),
    "model": (lambda path: load_model(str(path)), (MODELS / "aida.toml").read_bytes()),
    "sources": (lambda path: load_sources([path]), b"[click_ids]\n"),
    "rules": (load_rules, RULES.read_bytes()),
}


@pytest.mark.parametrize("kind", READERS)
def test_a_byte_order_mark_before_it_changes_nothing(kind: str, tmp_path: Path) -> None:
    read, content = READERS[kind]
    plain, marked = tmp_path / "plain.toml", tmp_path / "marked.toml"
    plain.write_bytes(content)
    marked.write_bytes(codecs.BOM_UTF8 + content)
    assert read(plain) == read(marked)


@pytest.mark.parametrize("kind", READERS)
@pytest.mark.parametrize(
    ("encoding", "said"),
    [
        *((wide, "UTF-16: save it as UTF-8") for wide in ("utf-16", "utf-16-le", "utf-16-be")),
        ("cp1252", "not UTF-8: save it as UTF-8"),
    ],
)
def test_another_encoding_is_said_in_a_sentence(
    kind: str, encoding: str, said: str, tmp_path: Path
) -> None:
    read, content = READERS[kind]
    path = tmp_path / "own.toml"
    path.write_bytes((content.decode() + "# Größe\n").encode(encoding, "replace"))
    with pytest.raises(Exception, match=said) as failed:
        read(path)
    assert "own.toml" in str(failed.value)


def test_what_is_no_toml_says_where() -> None:
    with pytest.raises(NotToml, match=r"not TOML: .*line 2"):
        parsed_toml(b"a = 1\nb = \n")
