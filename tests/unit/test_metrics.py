"""Each role shows its metrics, and says whether it lives, also to a HEAD."""

from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from pipeline import metrics
from tests.support.ports import free_ports


def asked(port: int, path: str, method: str) -> tuple[int, bytes]:
    request = Request(f"http://127.0.0.1:{port}{path}", method=method)
    try:
        with urlopen(request, timeout=10) as answer:  # noqa: S310
            return answer.status, answer.read()
    except HTTPError as error:
        with error:
            return error.code, error.read()


@pytest.mark.parametrize(("complaint", "status"), [("", 200), ("it does not move", 503)])
def test_a_head_is_answered_like_a_get_without_a_body(complaint: str, status: int) -> None:
    [port] = free_ports(1)
    metrics.serve("127.0.0.1", port, metrics.SINK, lambda: complaint)
    assert asked(port, "/healthz/live", "GET") == (status, (complaint or "ok").encode() + b"\n")
    assert asked(port, "/healthz/live", "HEAD") == (status, b"")
    assert asked(port, "/metrics", "HEAD") == (200, b"")
    assert b"touchstream_sink_rows" in asked(port, "/metrics", "GET")[1]
    with pytest.raises(OSError, match="TOUCHSTREAM_SINK_METRICS_PORT"):
        metrics.serve("127.0.0.1", port, metrics.SINK)
