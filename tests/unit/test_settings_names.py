"""Names that no setting has: refused wherever they stand, with the one that was probably meant."""

from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from pipeline.cli.commands import main
from pipeline.cli.shared import read_settings
from pipeline.settings import BadSettings, Settings
from pipeline.settings.names import unknown, variable

NAMES = list(Settings.model_fields)


@pytest.fixture(autouse=True)
def _elsewhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)


def complaint() -> str:
    with pytest.raises(BadSettings) as refused:
        read_settings()
    return str(refused.value)


@given(name=st.sampled_from(NAMES), at=st.integers(0, 40), slip=st.sampled_from("drop double turn"))
def test_a_slip_of_the_fingers_is_recognised(name: str, at: int, slip: str) -> None:
    at = at % (len(name) - 1)
    pair = name[at : at + 2]
    wrong = {"d": pair[0], "t": pair[::-1]}.get(slip[0], pair + pair[1])
    slipped = name[:at] + wrong + name[at + 2 :]
    said = unknown(Settings, slipped)
    assert slipped in NAMES or variable(name) in said or variable(slipped[:-1]) in said


def test_a_variable_that_no_setting_has_is_refused_with_the_nearest(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TOUCHSTREAM_SESION_GAP", "PT20M")
    monkeypatch.setenv("touchstream_clickhouse_pasword", "tell-nobody")
    said = complaint()
    assert "TOUCHSTREAM_SESION_GAP: there is no such setting; did you mean TOUCHSTREAM_SESS" in said
    assert "did you mean TOUCHSTREAM_CLICKHOUSE_PASSWORD" in said
    assert "tell-nobody" not in said


def test_a_file_of_secrets_is_refused_if_no_setting_has_its_name(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "touchstream_site_slat").write_text("tell-nobody")
    (tmp_path / "..data").mkdir()
    (tmp_path / "another_secret").touch()
    monkeypatch.setenv("TOUCHSTREAM_SECRETS_DIR", str(tmp_path))
    said = complaint()
    assert "did you mean TOUCHSTREAM_SITE_SALT" in said
    assert "another" not in said
    assert "tell-nobody" not in said


@pytest.mark.parametrize(
    ("file", "said"),
    [
        ("sesion_gap = 30", "did you mean TOUCHSTREAM_SESSION_GAP (in a file session_gap)?"),
        ("TOUCHSTREAM_SESSION_GAP = 30", "in a file, write it as session_gap"),
        ("session-gap = 30", "in a file, write it as session_gap"),
        ("[kafka]\nuser = 'u'", "the file has no sections; write kafka_... = ..."),
        ("xyzzy = 1", "TOUCHSTREAM_XYZZY: there is no such setting"),
        ("[write_keys.wk]\nsite = 'a'\norigin = []", "WRITE_KEYS.WK.ORIGIN: there is no such name"),
        ("[property_rules.a]\nmasks = []", "did you mean mask?"),
        ("[webhook_endpoints.a]\nxyzzy = 1", "write one of kinds, models, secret, sites, url"),
        ("[write_keys]\nwk = 'a'\nclickhouse_user = 'reader'", "is part of the table [write_keys]"),
        ("[write_keys.wk]\nsite = 'a'\nsession_gap = 3", "is part of the table [write_keys.wk]"),
    ],
)
def test_a_name_in_the_file_is_refused_with_what_was_meant(
    tmp_path: Path, file: str, said: str
) -> None:
    (tmp_path / "touchstream.toml").write_text(file)
    assert said in complaint()


def test_what_kubernetes_sets_for_a_service_of_our_name_is_no_setting(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TOUCHSTREAM_COLLECTOR_SERVICE_HOST", "10.0.0.1")
    monkeypatch.setenv("TOUCHSTREAM_COLLECTOR_SERVICE_PORT_HTTP", "8080")
    monkeypatch.setenv("TOUCHSTREAM_COLLECTOR_PORT_8080_TCP_ADDR", "10.0.0.1")
    assert read_settings() == Settings()
    monkeypatch.setenv("TOUCHSTREAM_COLLECTOR_PORT", "tcp://10.0.0.1:8080")
    assert "set `enableServiceLinks: false` in the pod" in complaint()


def test_a_command_with_settings_of_its_own_refuses_them_too(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TOUCHSTREAM_COLECTOR_HOST", "x")
    asked = CliRunner().invoke(main, ["demo", "--once"])
    assert asked.exit_code == 2
    assert "did you mean TOUCHSTREAM_COLLECTOR_HOST" in asked.output


@pytest.mark.parametrize("base", [1024, 20_000, 65_527])
def test_one_number_moves_all_ports(monkeypatch: pytest.MonkeyPatch, base: int) -> None:
    monkeypatch.setenv("TOUCHSTREAM_PORT_BASE", str(base))
    moved, usual = read_settings(), Settings.model_construct()
    ports = [name for name in NAMES if name.endswith("_port")]
    kafka, clickhouse = moved.kafka_bootstrap_servers, moved.clickhouse_url
    used = [getattr(moved, name) for name in ports]
    used += [int(address.rpartition(":")[2]) for address in (kafka, clickhouse)]
    assert sorted(used) == list(range(base, base + len(used)))
    assert moved.public_url == f"http://127.0.0.1:{base}"
    changed = {name for name in NAMES if getattr(moved, name) != getattr(usual, name)}
    assert changed == {*ports, "kafka_bootstrap_servers", "clickhouse_url", "public_url"} | {
        "port_base"
    }


def test_an_address_that_is_set_stays(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("TOUCHSTREAM_PORT_BASE", "20000")
    monkeypatch.setenv("TOUCHSTREAM_COLLECTOR_PORT", "8099")
    (tmp_path / "touchstream.toml").write_text('kafka_bootstrap_servers = "kafka.example:9092"')
    known = read_settings()
    assert (known.collector_port, known.public_url) == (8099, "http://127.0.0.1:8099")
    assert known.kafka_bootstrap_servers == "kafka.example:9092"
    assert known.live_port == 20_001


@pytest.mark.parametrize("base", ["-1", "65528", "many", ""])
def test_a_base_without_room_for_all_ports_is_refused(
    monkeypatch: pytest.MonkeyPatch, base: str
) -> None:
    monkeypatch.setenv("TOUCHSTREAM_PORT_BASE", base)
    assert "TOUCHSTREAM_PORT_BASE" in complaint()
