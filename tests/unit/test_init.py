"""`touchstream init`: a file with every setting, which works as it is and is its owner's alone."""

import re
import tomllib
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from pipeline.cli.commands import main
from pipeline.cli.shared import read_settings
from pipeline.settings import Settings, environment_of

GENERATED = {"write_keys", "site_salt", "link_keys", "server_secrets", "live_keys"}


@pytest.fixture(autouse=True)
def _elsewhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)


def init(*options: str) -> Result:
    return CliRunner().invoke(main, ["init", *options])


def test_the_file_is_read_and_differs_from_the_defaults_in_keys_and_secrets_alone() -> None:
    assert init().exit_code == 0
    told, usual = environment_of(read_settings()), environment_of(Settings.model_construct())
    changed = {name for name, value in told.items() if value != usual[name]}
    assert changed - {"TOUCHSTREAM_KAFKA_IDEMPOTENCE"} == {
        f"TOUCHSTREAM_{name.upper()}" for name in GENERATED
    }


def test_every_setting_is_there_with_its_explanation_and_its_default() -> None:
    init()
    text = Path("touchstream.toml").read_text()
    whole = tomllib.loads(re.sub(r"^#(?=\w)", "", text, flags=re.MULTILINE))
    assert list(whole) == list(Settings.model_fields)
    prose = " ".join(line.removeprefix("# ") for line in text.splitlines())
    missing = [f for f in Settings.model_fields.values() if str(f.description) not in prose]
    assert missing == []
    usual = environment_of(Settings.model_construct())
    Path("touchstream.toml").write_text(re.sub(r"^#(?=\w)", "", text, flags=re.MULTILINE))
    told = environment_of(read_settings())
    secret = {f"TOUCHSTREAM_{name.upper()}" for name in GENERATED | {"kafka_idempotence"}}
    assert {name: told[name] for name in told.keys() - secret} == {
        name: usual[name] for name in usual.keys() - secret
    }


def test_only_its_owner_can_read_it_and_it_is_never_overwritten() -> None:
    init()
    path = Path("touchstream.toml")
    before = path.read_text()
    assert path.stat().st_mode & 0o777 == 0o600
    again = init()
    assert again.exit_code == 2
    assert "touchstream.toml is there already" in again.output
    assert path.read_text() == before


def test_two_files_have_no_secret_in_common(monkeypatch: pytest.MonkeyPatch) -> None:
    made = []
    for name in ("a.toml", "b.toml"):
        monkeypatch.setenv("TOUCHSTREAM_CONFIG", name)
        assert init("--site", "books").exit_code == 0
        made.append(set(re.findall(r"[0-9a-f]{16,}", Path(name).read_text())))
    assert len(made[0]) == len(GENERATED)
    assert made[0] & made[1] == set()


def test_the_site_and_the_key_are_those_that_are_asked_for() -> None:
    assert "the write key wk_try of the site books" in init("--site=books", "--key=wk_try").output
    assert read_settings().write_keys["wk_try"].site == "books"


@pytest.mark.parametrize("options", [["--site", "My Shop"], ["--site", ""], ["--key", "a b"]])
def test_what_cannot_be_a_site_or_a_key_is_refused_before_anything_is_written(
    options: list[str],
) -> None:
    assert init(*options).exit_code == 2
    assert not Path("touchstream.toml").exists()
