"""docker-compose.yml against the settings, the CLI and the files that it names."""

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from pipeline.cli.commands import COMMANDS
from pipeline.settings import Settings

ROOT = Path(__file__).parents[2]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = {name: service for name, service in SERVICES.items() if "build" in service}
ONE_SHOT = {"topics", "migrate"}
STAY_UP = SERVICES.keys() - ONE_SHOT

_REQUIRED = re.compile(r"\$\{(\w+):\?[^}]+\}")
_SAMPLES = {
    "TOUCHSTREAM_WRITE_KEYS": '{"wk_live_4f1c": "shop"}',
    "TOUCHSTREAM_LIVE_KEYS": f'["{"k" * 32}"]',
}
_PASSED_ON = {
    "TOUCHSTREAM_WEBHOOK_ENDPOINTS": '{"crm": {"url": "https://crm.example/", "secret": "%s"}}'
    % ("s" * 32)
}
"""Variables without a value in the file: Compose gives them the one in .env, if there is one."""


def filled_in(value: object) -> str:
    return _REQUIRED.sub(
        lambda match: _SAMPLES.get(match[1], "a-secret-of-24-letters-xx"), str(value)
    )


def required_variables() -> set[str]:
    return set(_REQUIRED.findall((ROOT / "docker-compose.yml").read_text()))


def bind_mounts() -> list[tuple[str, str]]:
    mounts = [v for service in SERVICES.values() for v in service.get("volumes", ())]
    return [(m.split(":")[0], m.rsplit(":", 1)[1]) for m in mounts if m.startswith(".")]


@pytest.mark.parametrize("name", SERVICES)
def test_every_image_is_pinned_to_a_version(name: str) -> None:
    assert re.fullmatch(r"[\w./-]+:v?\d+\.\d+(\.\d+)*", SERVICES[name]["image"])


def test_our_image_carries_the_version_of_the_package() -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    assert {service["image"] for service in OURS.values()} == {f"touchstream:{version}"}


@pytest.mark.parametrize("name", SERVICES)
def test_every_port_is_bound_to_this_machine_alone(name: str) -> None:
    ports = SERVICES[name].get("ports", [])
    assert [port for port in ports if not port.startswith("127.0.0.1:")] == []


@pytest.mark.parametrize("name", OURS)
def test_every_command_is_one_of_the_cli(name: str) -> None:
    assert OURS[name]["command"][0] in COMMANDS


@pytest.mark.parametrize("name", OURS)
def test_every_variable_is_a_setting(name: str) -> None:
    fields = {f"TOUCHSTREAM_{field.upper()}" for field in Settings.model_fields}
    assert OURS[name]["environment"].keys() - fields == set()


@pytest.mark.parametrize("name", OURS)
def test_every_value_is_accepted_by_the_settings(
    name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    for variable, value in OURS[name]["environment"].items():
        monkeypatch.setenv(variable, _PASSED_ON[variable] if value is None else filled_in(value))
    Settings()


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


def test_every_required_variable_stands_in_the_example_without_a_value() -> None:
    """`${VAR:?}` refuses an empty value, so nobody runs with a published password."""
    lines = (ROOT / ".env.example").read_text().splitlines()
    example = dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))
    assert dict.fromkeys(required_variables(), "") == example


def test_no_password_is_written_into_the_file() -> None:
    given = [
        value
        for service in SERVICES.values()
        for variable, value in service.get("environment", {}).items()
        if "PASSWORD" in variable or "KEYS" in variable
    ]
    assert [value for value in given if not _REQUIRED.fullmatch(value)] == []


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
    assert "pip install --require-hashes -r requirements.lock" in dockerfile
    assert re.findall(r"^USER (\d+)", dockerfile, re.MULTILINE) == ["10001"]


def test_what_needs_settings_that_most_have_not_starts_only_if_asked_for() -> None:
    assert {name for name in SERVICES if "profiles" in SERVICES[name]} == {"webhook"}
