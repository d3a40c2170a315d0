"""beacon.js as the collector serves it: the file of this package, with its endpoint filled in.

Shell: reads the file at start-up. The files next to it decide what it does in a page.
"""

import gzip
import hashlib
import json
from pathlib import Path

from pipeline.collector.answers import Answer, Headers

FILE = Path(__file__).with_name("beacon.min.js")
"""What `make beacon` builds of the sources beside it."""

ENDPOINT = '"/v1/batch"'
"""How the file writes the path it sends to."""

_HEADERS: Headers = [
    ("content-type", "text/javascript; charset=utf-8"),
    ("cache-control", "public, max-age=3600"),
    ("vary", "accept-encoding"),
    # Any page may load it; the gate decides who may send.
    ("access-control-allow-origin", "*"),
    ("cross-origin-resource-policy", "cross-origin"),
]


class Script:
    """The script that sends to the path `endpoint` of the host it comes from."""

    def __init__(self, endpoint: str) -> None:
        text = FILE.read_text(encoding="utf-8").replace(ENDPOINT, json.dumps(endpoint))
        self._plain = text.encode()
        self._packed = gzip.compress(self._plain, mtime=0)
        # Weak: the same script, packed or not.
        self._tag = f'W/"{hashlib.sha256(self._plain).hexdigest()[:16]}"'

    def answer(self, known: str | None, encodings: str | None) -> Answer:
        """Answer a GET with its If-None-Match and its Accept-Encoding."""
        headers = [*_HEADERS, ("etag", self._tag)]
        if self._tag in (known or ""):
            return Answer(304, headers=headers)
        if "gzip" in (encodings or ""):
            return Answer(200, self._packed, [*headers, ("content-encoding", "gzip")])
        return Answer(200, self._plain, headers)
