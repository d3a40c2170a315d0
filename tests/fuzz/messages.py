"""HTTP requests as short texts: what the fuzzer changes, and what found inputs are kept as.

POST /e/?_=1
user-agent: Mozilla/5.0

the body, any bytes
"""

import json
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Message:
    """A request as it comes out of the HTTP server: only a body may hold any bytes."""

    method: str
    path: str
    query: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""


def read(data: bytes) -> Message:
    """Make a request of any bytes; what is no HTTP is read as well as it goes."""
    head, _, body = data.partition(b"\n\n")
    first, *lines = head.decode("ascii", "ignore").split("\n")
    method, _, target = first.partition(" ")
    path, _, query = target.partition("?")
    named = (line.partition(": ") for line in lines)
    return Message(
        method="GET" if method == "GET" else "POST",
        path=path,
        query=query,
        headers={name.lower(): _visible(value) for name, _, value in named},
        body=body,
    )


def written(
    method: str, target: str, headers: dict[str, str] | None = None, body: bytes = b""
) -> bytes:
    """Write a request as `read` reads it; `target` is the path with its query."""
    lines = [f"{method} {target}", *(f"{name}: {value}" for name, value in (headers or {}).items())]
    return "\n".join(lines).encode() + b"\n\n" + body


def of_example(request: dict[str, Any]) -> bytes:
    """Write the request of a golden example."""
    body = request["text"].encode() if "text" in request else b""
    if "body" in request:
        body = json.dumps(request["body"]).encode()
    named = {"user-agent": "user_agent", "authorization": "authorization"}
    headers = {name: request[key] for name, key in named.items() if request.get(key)}
    return written(request.get("method", "POST"), request["path"], headers, body)


def _visible(text: str) -> str:
    """Leave out what granian gives no application: a header with it counts as absent."""
    return "".join(letter for letter in text if " " <= letter <= "~" or letter == "\t")
