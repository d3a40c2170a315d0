"""The files of the page as a browser gets them. Shell: reads them at the start."""

import gzip
import hashlib
from pathlib import Path

from aiohttp import web

_FOLDER = Path(__file__).parent / "built"
_KINDS = {
    "index.html": "text/html",
    "page.js": "text/javascript",
    "page.css": "text/css",
    "icon.svg": "image/svg+xml",
}


class Files:
    """All files, compressed once; a browser that has one already gets 304."""

    def __init__(self) -> None:
        self._plain = {name: (_FOLDER / name).read_bytes() for name in _KINDS}
        self._packed = {name: gzip.compress(body, mtime=0) for name, body in self._plain.items()}
        self._tags = {
            name: f'W/"{hashlib.sha256(body).hexdigest()[:16]}"'
            for name, body in self._plain.items()
        }

    def answer(self, name: str, request: web.Request) -> web.Response:
        """Answer a GET of one of them."""
        headers = {"ETag": self._tags[name], "Cache-Control": "no-cache", "Vary": "Accept-Encoding"}
        if self._tags[name] in request.headers.get("If-None-Match", ""):
            return web.Response(status=304, headers=headers)
        body = self._plain[name]
        if "gzip" in request.headers.get("Accept-Encoding", ""):
            headers["Content-Encoding"] = "gzip"
            body = self._packed[name]
        return web.Response(body=body, headers=headers, content_type=_KINDS[name], charset="utf-8")
