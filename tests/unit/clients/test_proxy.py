"""What a client sends is counted in its requests, however it writes them."""

import base64
import gzip
import json
from urllib.parse import quote

import pytest

from tests.clients.proxy import events_in, unpacked

SENT = json.dumps([{"event": "Event 1"}, {"event": "Event 12", "schema": "iglu:a/Event_3/x"}])


@pytest.mark.parametrize(
    "content",
    [
        SENT.encode(),
        gzip.compress(SENT.encode(), mtime=0),
        f"data={quote(SENT)}".encode(),
        f"data={base64.b64encode(SENT.encode()).decode()}".encode(),
        f"/i?ue_px={base64.urlsafe_b64encode(SENT.encode()).decode().rstrip('=')}".encode(),
    ],
)
def test_events_are_found_in_json_forms_base64_and_gzip(content: bytes) -> None:
    assert {"Event 1", "Event 12", "Event 3"} == events_in(unpacked(content))


def test_nothing_is_found_in_nothing() -> None:
    assert set() == events_in(b"") | events_in(b"event=Eventful")
