"""`touchstream health ROLE`: where each role is asked, and what the exit code says."""

import pytest
from click.testing import CliRunner

from pipeline import metrics
from pipeline.cli.commands import main
from pipeline.cli.health import PROBES, url_of
from pipeline.settings import BadSettings, Settings
from tests.support.ports import free_ports


@pytest.fixture
def role(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Give the complaints of a sink, none at first."""
    complaints: list[str] = []
    [port] = free_ports(1)
    metrics.serve("127.0.0.1", port, metrics.SINK, lambda: "; ".join(complaints))
    monkeypatch.setenv("TOUCHSTREAM_SINK_METRICS_PORT", str(port))
    return complaints


def test_a_role_that_moves_on_is_well(role: list[str]) -> None:
    asked = CliRunner().invoke(main, ["health", "sink"])
    assert (asked.exit_code, asked.output) == (0, "ok\n")


def test_a_role_that_complains_is_not(role: list[str]) -> None:
    role.append("touchstream-sink has not moved")
    asked = CliRunner().invoke(main, ["health", "sink"])
    assert asked.exit_code == 1
    assert "`touchstream sink` is not well: touchstream-sink has not moved" in asked.output


def test_a_role_that_does_not_run_does_not_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOUCHSTREAM_TRACKER_METRICS_PORT", str(free_ports(1)[0]))
    asked = CliRunner().invoke(main, ["health", "track"])
    assert asked.exit_code == 69
    assert "`touchstream track` does not answer at http://127.0.0.1:" in asked.output


def test_every_role_can_be_asked() -> None:
    known = Settings()
    assert len({url_of(known, role) for role in PROBES}) == len(PROBES)


@pytest.mark.parametrize(
    ("host", "asked"), [("0.0.0.0", "127.0.0.1"), ("::", "[::1]"), ("10.0.0.7", "10.0.0.7")]
)
def test_what_listens_everywhere_is_asked_on_this_machine(host: str, asked: str) -> None:
    assert url_of(Settings(collector_host=host), "collect") == f"http://{asked}:8080/healthz/live"


def test_without_a_port_nothing_can_be_asked() -> None:
    with pytest.raises(BadSettings, match="TOUCHSTREAM_WATCH_METRICS_PORT is 0"):
        url_of(Settings(watch_metrics_port=0), "watch")
