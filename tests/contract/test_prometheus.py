"""Alert rules: they parse, they fire when they must, and they name what exists."""

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client import REGISTRY, CollectorRegistry

from pipeline import metrics
from pipeline.roles.watch.delivery.messages import NAMES
from schemas.fates import FATES
from tests.support.house import SOURCES
from tests.support.runbook_page import PAGE, page

ROOT = Path(__file__).parents[2]
PROMETHEUS = ROOT / "deploy/prometheus"
RULES: dict[str, Any] = yaml.safe_load((PROMETHEUS / "touchstream.rules.yml").read_text())
ALERTS = [rule for group in RULES["groups"] for rule in group["rules"]]

needs_promtool = pytest.mark.skipif(
    not shutil.which("promtool"), reason="promtool is not installed (Debian package prometheus)"
)
needs_amtool = pytest.mark.skipif(
    not shutil.which("amtool"), reason="amtool is not installed (Debian: prometheus-alertmanager)"
)


_ENDS = {"counter": ("_total",), "histogram": ("_bucket", "_count", "_sum")}


def names_of(registry: CollectorRegistry) -> set[str]:
    names = {f.name + end for f in registry.collect() for end in _ENDS.get(f.type, ("",))}
    return {name for name in names if name.startswith("touchstream_")}


def exported_names() -> set[str]:
    return set().union(*map(names_of, metrics.ROLES.values()))


def names_in(expression: str) -> set[str]:
    return set(re.findall(r"\btouchstream_\w+", expression)) - {"touchstream_watch_"}


def selectors_in(expression: str) -> set[tuple[str, str]]:
    """Give the role in the name of each metric, and the job that is selected."""
    found = re.findall(r'\btouchstream_([a-z]+)_\w+(?:\{job="(\w+)")?', expression)
    return set(found)


def panel_expressions() -> list[str]:
    return [
        target["expr"]
        for path in (ROOT / "deploy/grafana/dashboards").glob("*.json")
        for panel in json.loads(path.read_text())["panels"]
        for target in panel["targets"]
        if "expr" in target
    ]


def runbook_anchors() -> set[str]:
    headings = re.findall(r"^## (.+)$", (ROOT / "docs/runbook.md").read_text(), re.MULTILINE)
    return {heading.lower() for heading in headings}


def run(*command: str) -> str:
    done = subprocess.run(command, cwd=PROMETHEUS, capture_output=True, text=True, check=False)
    return "" if done.returncode == 0 else done.stdout + done.stderr


@pytest.mark.parametrize("role", metrics.ROLES)
def test_a_role_shows_its_own_metrics_and_those_of_no_other(role: str) -> None:
    names = names_of(metrics.ROLES[role])
    assert names
    assert {name for name in names if not name.startswith(f"touchstream_{role}_")} == set()


@pytest.mark.parametrize("role", ["tracker", "sink"])
def test_a_counter_that_an_alert_asks_for_is_shown_from_the_start(role: str) -> None:
    """Of one that appears with its first step, Prometheus does not see this step."""
    asked = set().union(*(names_in(rule["expr"]) for rule in ALERTS))
    shown = {s.name for f in metrics.ROLES[role].collect() for s in f.samples}
    counters = {name for name in asked if name.startswith(f"touchstream_{role}_")}
    assert {name for name in counters if name.endswith("_total")} - shown == set()


def test_no_metric_is_shown_by_every_role() -> None:
    assert names_of(REGISTRY) == set()


@pytest.mark.parametrize("gauge", ["SINK_LAG", "TRACKER_LAG"])
def test_a_lag_is_told_by_the_watchdog_alone(gauge: str) -> None:
    """Two who set it show a number of the one, then one of the other."""
    lines = [line for source in SOURCES.values() for line in source.splitlines()]
    [told] = [line.strip() for line in lines if f"metrics.{gauge}" in line]
    assert "show(" in told


def test_the_tracker_tells_every_fate_that_a_record_can_have_and_no_other() -> None:
    """mypy holds the code to `Fate`; here the code has every one of them, and the metric's text."""
    code = SOURCES["pipeline.tracker.steps"]
    written = re.findall(r'fates\["(\w+)"\]|return "(\w+)"|else "(\w+)"\n', code)
    assert {name for names in written for name in names if name} == set(FATES)
    [text] = [f.documentation for f in metrics.TRACKER.collect() if f.name.endswith("_touchpoints")]
    assert text.split(": ")[1].rstrip(".").split(", ") == list(FATES)


@pytest.mark.parametrize("role", metrics.ROLES)
def test_a_role_is_scraped_as_the_job_of_its_name(role: str) -> None:
    jobs = yaml.safe_load((PROMETHEUS / "prometheus.yml").read_text())["scrape_configs"]
    assert role in {job["job_name"] for job in jobs}


@pytest.mark.parametrize("rule", ALERTS, ids=lambda rule: rule["alert"])
def test_an_alert_asks_the_role_that_the_metric_is_of(rule: dict[str, Any]) -> None:
    assert {(role, job) for role, job in selectors_in(rule["expr"]) if role != job} == set()


@pytest.mark.parametrize("rule", ALERTS, ids=lambda rule: rule["alert"])
def test_an_alert_uses_only_metrics_that_are_exported(rule: dict[str, Any]) -> None:
    assert names_in(rule["expr"]) - exported_names() == set()


def test_panels_use_only_metrics_that_are_exported() -> None:
    expressions = panel_expressions()
    assert expressions
    assert set().union(*map(names_in, expressions)) - exported_names() == set()


@pytest.mark.parametrize("rule", ALERTS, ids=lambda rule: rule["alert"])
def test_an_alert_says_how_bad_it_is_and_has_a_section_in_the_runbook(rule: dict[str, Any]) -> None:
    assert rule["labels"]["severity"] in {"page", "ticket"}
    page, anchor = rule["annotations"]["runbook_url"].split("#")
    assert page == "{{ $externalURL }}/consoles/runbook.html"
    assert anchor in runbook_anchors()


def test_alerts_of_the_watch_have_a_section_in_the_runbook_and_are_held_back() -> None:
    assert {name.lower() for name in NAMES.values()} <= runbook_anchors()
    routes = yaml.safe_load((PROMETHEUS / "alertmanager.yml").read_text())
    [matcher] = routes["inhibit_rules"][0]["target_matchers"]
    assert all(re.search(rf"\b{name}\b", matcher) for name in NAMES.values())


def test_the_runbook_that_prometheus_serves_is_that_of_the_docs() -> None:
    """Else run `python -m tests.support.runbook_page`."""
    assert page() == PAGE.read_text(encoding="utf-8")
    anchors = set(re.findall(r'<h2 id="([a-z]+)">', PAGE.read_text(encoding="utf-8")))
    assert anchors == runbook_anchors()


def test_every_alert_is_tested_firing_and_silent() -> None:
    cases = yaml.safe_load((PROMETHEUS / "touchstream.rules.test.yml").read_text())["tests"]
    checks = [check for case in cases for check in case["alert_rule_test"]]
    firing = {check["alertname"] for check in checks if "exp_alerts" in check}
    silent = {check["alertname"] for check in checks if "exp_alerts" not in check}
    names = {rule["alert"] for rule in ALERTS}
    assert (names, names) == (firing, silent)


@needs_promtool
def test_promtool_accepts_the_rules_and_the_configuration() -> None:
    assert run("promtool", "check", "rules", "touchstream.rules.yml") == ""
    assert run("promtool", "check", "config", "prometheus.yml") == ""


@needs_promtool
def test_the_alerts_fire_when_they_must_and_only_then() -> None:
    assert run("promtool", "test", "rules", "touchstream.rules.test.yml") == ""


MAIL = {
    "ALERT_MAIL_TO": "a@shop.example",
    "ALERT_MAIL_FROM": "b@shop.example",
    "ALERT_MAIL_HOST": "mail.shop.example:587",
    "ALERT_MAIL_USER": "it's me",
}


def configured(folder: Path, **variables: str) -> dict[str, Any]:
    """Give the operators as alertmanager.sh writes them; amtool checks it, if there is one."""
    config = folder / "alertmanager.yml"
    subprocess.run(
        ["sh", "alertmanager.sh", "--storage.path=x"],
        cwd=PROMETHEUS,
        env={"PATH": "/usr/bin:/bin", "ALERTMANAGER": "true", **variables}
        | {"ALERTMANAGER_CONFIG": str(config)},
        check=True,
    )
    if shutil.which("amtool"):
        assert run("amtool", "check-config", str(config)) == ""
    [operators] = yaml.safe_load(config.read_text())["receivers"]
    return dict(operators)


def test_nobody_is_told_until_env_says_whom(tmp_path: Path) -> None:
    assert configured(tmp_path) == {"name": "operators"}
    assert configured(tmp_path, ALERT_MAIL_TO="", ALERT_WEBHOOK_URL="") == {"name": "operators"}


def test_env_says_whom_alertmanager_tells_and_no_password_is_in_its_file(tmp_path: Path) -> None:
    webhook = {"ALERT_WEBHOOK_URL": "http://a.example/?a='b'&c=$HOME"}
    told = configured(tmp_path, **MAIL, **webhook, ALERT_SLACK_CHANNEL="#shop")
    [mail], [slack] = told["email_configs"], told["slack_configs"]
    assert (mail["to"], mail["smarthost"]) == ("a@shop.example", "mail.shop.example:587")
    assert mail["auth_username"] == "it's me"
    assert mail["auth_password_file"] == "/run/secrets/alert_mail_password"
    assert (slack["channel"], slack["api_url_file"]) == ("#shop", "/run/secrets/alert_slack_url")
    assert told["webhook_configs"] == [{"url": webhook["ALERT_WEBHOOK_URL"]}]


def test_a_mail_without_a_host_is_refused(tmp_path: Path) -> None:
    with pytest.raises(subprocess.CalledProcessError):
        configured(tmp_path, ALERT_MAIL_TO="a@shop.example")


@needs_amtool
def test_amtool_accepts_the_routes() -> None:
    assert run("amtool", "check-config", "alertmanager.yml") == ""
