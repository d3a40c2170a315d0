"""docker-compose.yml against its schema, the settings, the CLI and the files that it names."""

import hashlib
import json
import os
import re
import shutil
import stat
import subprocess
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import jsonschema_rs
import pytest
import yaml
from click.testing import CliRunner

from pipeline.cli.commands import COMMANDS, main
from pipeline.cli.shared import read_settings
from pipeline.settings import Settings
from pipeline.settings.names import secret_settings, variable
from tests.support.compose import ROOT, Role, env_file, read, roles, secrets_of, variables
from tests.support.house import SOURCES

COMPOSE = read({})
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = {name: s for name, s in SERVICES.items() if s["image"].startswith("touchstream:")}
ONE_SHOT = {"topics", "migrate"}
STAY_UP = SERVICES.keys() - ONE_SHOT
FIXED = {
    *("TOUCHSTREAM_SECRETS_DIR", "TOUCHSTREAM_METRICS_HOST", "TOUCHSTREAM_LIVE_COLLECTOR"),
    *("TOUCHSTREAM_COLLECTOR_HOST", "TOUCHSTREAM_COLLECTOR_PORT"),
    *("TOUCHSTREAM_LIVE_HOST", "TOUCHSTREAM_LIVE_PORT", "TOUCHSTREAM_CLICKHOUSE_USER"),
    *(variable(f"{role}_metrics_port") for role in ("tracker", "sink", "watch", "webhook")),
    "TOUCHSTREAM_DRAIN_METRICS_PORT",
}
"""Addresses and logins between the containers: the file says them, .env cannot."""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a fresh checkout, after the one command."""
    shutil.copy(ROOT / "docker-compose.yml", tmp_path)
    monkeypatch.chdir(tmp_path)
    made = CliRunner().invoke(main, ["init", "--compose", "--site", "books"])
    assert made.exit_code == 0, made.output
    return tmp_path


def bind_mounts() -> list[tuple[str, str]]:
    mounts = [v for service in SERVICES.values() for v in service.get("volumes", ())]
    return [(m.split(":")[0], m.rsplit(":", 1)[1]) for m in mounts if m.startswith(".")]


@pytest.mark.parametrize("version", ["oldest", "newest"])
def test_the_file_is_what_the_specification_allows(version: str) -> None:
    schema = json.loads((ROOT / f"tests/support/compose_schemas/{version}.json").read_text())
    validator = jsonschema_rs.Draft202012Validator(schema)
    assert [error.message for error in validator.iter_errors(COMPOSE)] == []
    wrong = {**COMPOSE, "services": {"a": {"image": "a", "healthcheck": {"sometimes": "5s"}}}}
    assert not validator.is_valid(wrong)


def test_what_needs_a_newer_engine_than_debian_12_has_is_not_there() -> None:
    """`start_interval` needs Engine 25, a `name` and `required` a newer Compose."""
    text = (ROOT / "docker-compose.yml").read_text()
    assert not re.search(r"^name:|start_interval|required:|!reset|develop:", text, re.MULTILINE)


@pytest.mark.parametrize("name", SERVICES)
def test_every_image_is_pinned_to_a_version(name: str) -> None:
    assert re.fullmatch(r"[\w./-]+:v?\d+\.\d+(\.\d+)*", SERVICES[name]["image"])


def test_our_images_carry_the_version_of_the_package() -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    built = {service["image"] for service in SERVICES.values() if "build" in service}
    assert built == {f"touchstream:{version}", f"touchstream-grafana:{version}"}


@pytest.mark.parametrize("name", sorted(SERVICES.keys() - {"proxy"}))
def test_every_port_is_bound_to_this_machine_alone(name: str) -> None:
    ports = SERVICES[name].get("ports", [])
    assert [port for port in ports if not port.startswith("127.0.0.1:")] == []


@pytest.mark.parametrize("name", OURS)
def test_every_command_is_one_of_the_cli(name: str) -> None:
    assert OURS[name]["command"][0] in COMMANDS


@pytest.mark.parametrize("name", OURS)
def test_a_role_takes_what_the_one_command_made(
    project: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    role = roles(project)[name]
    known = settings_of(role, {}, project, monkeypatch)
    assert {key.site for key in known.write_keys.values()} == {"books"}
    assert known.site_salt.get_secret_value()
    assert role.environment.items() >= env_file(project / ".env").items()


def settings_of(
    role: Role, more: Mapping[str, str], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> Settings:
    """Read the settings as a role does; its secrets are copied to where it finds them."""
    found = folder / f"run-{role.name}"
    found.mkdir()
    for name, file in role.secrets.items():
        shutil.copy(file, found / name)
    given = {**role.environment, **more, "TOUCHSTREAM_SECRETS_DIR": str(found)}
    for name, value in given.items():
        if name.startswith("TOUCHSTREAM_"):
            monkeypatch.setenv(name, value)
    monkeypatch.setitem(Settings.model_config, "secrets_dir", str(found))
    return read_settings()


@pytest.mark.parametrize("name", OURS)
def test_every_setting_reaches_every_role_from_env_but_what_the_file_says(
    project: Path, name: str
) -> None:
    wanted = [v for v in map(variable, Settings.model_fields) if v not in FIXED]
    before = (project / ".env").read_text()
    lines = [line for line in before.splitlines() if not line.startswith("TOUCHSTREAM_")]
    (project / ".env").write_text("\n".join([*lines, *(f"{v}=of-{v}" for v in wanted)]))
    environment = roles(project)[name].environment
    assert {v for v in wanted if environment.get(v) != f"of-{v}"} == set()
    assert {v for v in FIXED if environment.get(v, "").startswith("of-")} == set()


@pytest.mark.parametrize("name", OURS)
def test_the_file_of_settings_is_looked_for_in_the_mounted_folder(name: str) -> None:
    assert OURS[name]["working_dir"] == "/etc/touchstream"
    assert "./deploy/settings:/etc/touchstream:ro" in OURS[name]["volumes"]
    assert OURS[name]["env_file"] == [".env"]
    assert "TOUCHSTREAM_CONFIG" not in OURS[name]["environment"]


def rooms_that_read(setting: str) -> set[str]:
    """Name the roles' modules that read a setting."""
    reads = re.compile(rf"\b(?:settings|known)\.{setting}\b")
    return {module for module, text in SOURCES.items() if reads.search(text)}


@pytest.mark.parametrize("setting", secret_settings(Settings))
def test_a_secret_reaches_the_roles_that_read_it(setting: str) -> None:
    modules = rooms_that_read(setting)
    wanted = {
        service
        for service, room in {
            "collector": "pipeline.collector",
            "live": "pipeline.live",
            "watch": "pipeline.roles.watch",
            "webhook": "pipeline.roles.webhook",
        }.items()
        if any(module.startswith(room) for module in modules)
    }
    if setting.startswith("kafka_") or setting == "site_salt":
        wanted = set(OURS)  # a login and its password are checked together, also by who needs none
    if setting == "clickhouse_password":
        wanted = {"migrate", "sink", "watch", "live"}
    assert modules or setting.startswith("watch_")
    given = {s for s in OURS if f"touchstream_{setting}" in dict(secrets_of(OURS[s]))}
    assert wanted - given == set()
    assert given


def test_every_secret_of_the_settings_has_a_file_and_no_other_has() -> None:
    names = {n for n in COMPOSE["secrets"] if n.startswith("touchstream_")}
    assert names == {f"touchstream_{n}" for n in secret_settings(Settings)} - {
        "touchstream_clickhouse_password"
    }
    used = {of for service in SERVICES.values() for _, of in secrets_of(service)}
    assert used == COMPOSE["secrets"].keys()


def test_no_secret_is_a_variable(project: Path) -> None:
    secret = {variable(name) for name in secret_settings(Settings)}
    given = {v for s in SERVICES.values() for v in s.get("environment", {})}
    given |= env_file(project / ".env").keys()
    assert {v for v in given if v in secret or ("PASSWORD" in v and "__FILE" not in v)} == set()
    texts = [path.read_text().strip() for path in (project / "deploy/secrets").iterdir()]
    env = (project / ".env").read_text()
    assert [text for text in texts if text and text in env] == []


def test_the_one_command_makes_every_file_of_a_secret_for_its_owner_alone(project: Path) -> None:
    folder = project / "deploy/secrets"
    wanted = {Path(secret["file"]).name for secret in COMPOSE["secrets"].values()}
    assert {path.name for path in folder.iterdir()} == wanted
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE((project / ".env").stat().st_mode) == 0o600
    # Within the folder everybody may read: the containers are other users.
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o644}
    again = CliRunner().invoke(main, ["init", "--compose"])
    assert again.exit_code == 2
    assert ".env is there already" in again.output


def test_clickhouse_gets_hashes_of_the_passwords_that_its_users_have(project: Path) -> None:
    hashed = ET.parse(project / "deploy/secrets/clickhouse_passwords.xml")  # noqa: S314
    users = ET.parse(ROOT / "deploy/clickhouse/users.d/touchstream.xml")  # noqa: S314
    names = {user.tag for user in users.iterfind("users/*")} - {"default"}
    assert {user.tag for user in hashed.iterfind("users/*")} == names
    for name in names:
        password = (project / f"deploy/secrets/clickhouse_{name}_password").read_bytes()
        told = hashed.findtext(f"users/{name}/password_sha256_hex")
        assert told == hashlib.sha256(password).hexdigest()


def test_every_variable_of_the_file_stands_in_env(project: Path) -> None:
    text = (project / ".env").read_text()
    missing = {name for name in variables() if f"{name}=" not in text}
    assert missing - {variable(name) for name in Settings.model_fields} == set()


def test_ports_move_together(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copy(ROOT / "docker-compose.yml", tmp_path)
    monkeypatch.chdir(tmp_path)
    CliRunner().invoke(main, ["init", "--compose", "--port-base", "21000"])
    env = env_file(tmp_path / ".env")
    services = read(env)["services"].values()
    ports = [int(p.split(":")[-2]) for s in services for p in s.get("ports", ()) if "127" in p]
    assert sorted(ports) == list(range(21_000, 21_000 + len(ports)))
    assert env["TOUCHSTREAM_PUBLIC_URL"] == "http://127.0.0.1:21000"


def test_without_the_file_of_compose_nothing_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    made = CliRunner().invoke(main, ["init", "--compose"])
    assert (made.exit_code, "no docker-compose.yml here" in made.output) == (2, True)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("name", "port", "field"),
    [
        ("collector", 8080, "collector_port"),
        ("tracker", 9101, "tracker_metrics_port"),
        ("drain", 9105, "drain_metrics_port"),
        ("sink", 9102, "sink_metrics_port"),
        ("watch", 9103, "watch_metrics_port"),
        ("webhook", 9104, "webhook_metrics_port"),
    ],
)
def test_a_role_is_scraped_on_the_port_it_is_given(name: str, port: int, field: str) -> None:
    scrapes = yaml.safe_load((ROOT / "deploy/prometheus/prometheus.yml").read_text())
    scraped = {
        (discovery["names"][0], discovery["port"])
        for job in scrapes["scrape_configs"]
        for discovery in job["dns_sd_configs"]
    }
    assert OURS[name]["environment"][f"TOUCHSTREAM_{field.upper()}"] == port
    assert (name, port) in scraped


@pytest.mark.parametrize("name", sorted(OURS.keys() - ONE_SHOT))
def test_a_role_is_asked_for_its_health_with_its_own_settings(name: str) -> None:
    [role] = OURS[name]["command"]
    assert OURS[name]["healthcheck"]["test"] == ["CMD", "touchstream", "health", role]


def test_every_mounted_file_exists_and_is_read_only() -> None:
    wrong = [m for m in bind_mounts() if not (ROOT / m[0]).exists() or m[1] != "ro"]
    assert wrong == []


def test_every_named_volume_is_declared() -> None:
    mounts = [v for service in SERVICES.values() for v in service.get("volumes", ())]
    named = {mount.split(":")[0] for mount in mounts if not mount.startswith((".", "/"))}
    assert named == COMPOSE["volumes"].keys()


@pytest.mark.parametrize("name", sorted(STAY_UP))
def test_what_stays_up_restarts_is_probed_and_has_a_memory_limit(name: str) -> None:
    service = SERVICES[name]
    assert service["restart"] == "unless-stopped"
    assert service["healthcheck"]["test"]
    assert service["mem_limit"]


@pytest.mark.parametrize("name", sorted(ONE_SHOT))
def test_what_runs_once_is_waited_for_and_not_restarted(name: str) -> None:
    waiting = [
        service["depends_on"][name]["condition"]
        for service in SERVICES.values()
        if name in service.get("depends_on", {})
    ]
    assert SERVICES[name]["restart"] == "no"
    assert set(waiting) == {"service_completed_successfully"}


def test_the_tracker_has_a_minute_to_finish_its_chunks() -> None:
    assert SERVICES["tracker"]["stop_grace_period"] == "60s"


def test_the_image_is_built_from_the_locked_dependencies_and_does_not_run_as_root() -> None:
    dockerfile = (ROOT / "deploy/Dockerfile").read_text()
    assert "--require-hashes" in dockerfile
    assert "requirements.lock" in dockerfile
    assert re.findall(r"^USER (\d+)", dockerfile, re.MULTILINE) == ["10001"]


def test_grafana_needs_no_internet_to_start() -> None:
    """The plugin is in its image, outside the volume, and nothing is fetched at the start."""
    dockerfile = (ROOT / "deploy/grafana/Dockerfile").read_text()
    environment = SERVICES["grafana"]["environment"]
    [folder] = re.findall(r"^ENV GF_PATHS_PLUGINS=(\S+)", dockerfile, re.MULTILINE)
    volumes = [volume.split(":")[1] for volume in SERVICES["grafana"]["volumes"]]
    assert not any(folder.startswith(volume) for volume in volumes)
    assert re.search(r"plugins install grafana-clickhouse-datasource \d+\.\d+\.\d+$", dockerfile, 8)
    assert environment["GF_PLUGINS_PREINSTALL_DISABLED"] == "true"
    assert not any(name.startswith("GF_PLUGINS_PREINSTALL_SYNC") for name in environment)


def test_what_needs_settings_that_most_have_not_starts_only_if_asked_for() -> None:
    assert {name for name in SERVICES if "profiles" in SERVICES[name]} == {"webhook", "proxy"}


@pytest.mark.skipif(not shutil.which("caddy"), reason="caddy is not installed (Debian: caddy)")
def test_caddy_accepts_the_proxys_configuration() -> None:
    command = ("caddy", "validate", "--adapter", "caddyfile", "--config")
    subprocess.run(
        [*command, ROOT / "deploy/proxy/Caddyfile"],
        env=os.environ | SERVICES["proxy"]["environment"],
        check=True,
        capture_output=True,
    )


@pytest.mark.parametrize("name", OURS)
def test_variables_of_opentelemetry_reach_every_role_from_env(project: Path, name: str) -> None:
    told = {"TOUCHSTREAM_TRACING": "true", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://otel:4318"}
    with (project / ".env").open("a") as file:
        file.writelines(f"{variable}={value}\n" for variable, value in told.items())
    assert told.items() <= roles(project)[name].environment.items()
