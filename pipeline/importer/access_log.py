"""Lines of a web server's access log: combined, common, with the host before, or more behind. PURE.

All requests from one IP address are one visitor, because the log names nobody. The address itself
goes no further than this: the caller replaces it, in dead letters of broken lines too.
"""

import re
from collections.abc import Callable
from ipaddress import ip_address
from posixpath import splitext

from pipeline.importer.mapping import Mapping, parse_mapping
from pipeline.importer.rows import Row, Unreadable
from schemas.dead_letter import Reason

_QUOTED = r'"((?:[^"\\]|\\.)*)"'
# No bracket in the time, and a bounded size: hostile lines could take minutes.
_LINE = re.compile(
    rf"(\S+) (\S+) .*?\[([^\[\]]+)\] {_QUOTED} (\d{{3}}) (\d{{1,18}}|-)"
    rf"(?: [\d.,:-]+)*(?: {_QUOTED} {_QUOTED}(?: .*)?)?\s*"
)
_W3C = re.compile(r"#(?:Software|Version|Date|Fields):")
_IS_W3C = (
    "the W3C format, as IIS and CloudFront write it, is not read: have the combined format "
    "written, or make a table of it and import that with a mapping"
)
_IS_JSON = 'JSON is not read as an access log: import it with a mapping, and kind = "jsonl"'
_UNKNOWN = "neither the common nor the combined format, nor one of them behind a host"
_ESCAPED = re.compile(r'\\(["\\])')
_REQUEST_WORDS = 3
_FIRST_FAILURE = 400
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_PAGES = frozenset({"", ".htm", ".html", ".php", ".asp", ".aspx", ".jsp"})
"""Extensions of pages; the rest are images, styles, scripts, feeds."""

MAPPING: Mapping = parse_mapping(
    """
    channel = "website"

    [columns]
    occurred_at = "time"
    anonymous_id = "visitor"
    name = "kind"
    url = "url"
    referrer = "referrer"
    user_agent = "user_agent"

    [time]
    format = [
        "%d/%b/%Y:%H:%M:%S %z", "%d/%b/%Y:%H:%M:%S.%f %z", "%d/%b/%Y:%H:%M:%S", "epoch_s", "iso"
    ]

    [[events]]
    from = "page"
    type = "page"
    name = "Page Viewed"

    [[events]]
    from = "resource"
    name = "Resource Requested"

    [[events]]
    from = "failure"
    name = "Request Failed"
    """,
    "access-log",
)
"""How the rows become touchpoints."""


def row_of(line: str, visitor_of: Callable[[str], str], base: str = "") -> Row | Unreadable:
    """Read a line; `visitor_of` names an address, `base` is the prefix of its URLs' paths."""
    found = _LINE.fullmatch(line)
    if found is None:
        return Unreadable(_nameless(line, visitor_of).encode(), Reason.INVALID_FIELD, _why(line))
    first, second, time, request, status, size, referrer, user_agent = found.groups()
    first = first.rstrip(",")  # of the addresses of proxies the first is the visitor's
    is_named = not _is_address(first) and _is_address(second)
    host = second if is_named else first
    base = f"https://{first.rpartition(':')[0] or first}" if is_named else base
    method, path = _request(_plain(request))
    return {
        "visitor": visitor_of(host),
        "time": time,
        "kind": _kind(method, path, int(status)),
        "url": base + path if path.startswith("/") else path,
        "method": method,
        "status": int(status),
        "bytes": 0 if size == "-" else int(size),
        "referrer": _plain(referrer or ""),
        "user_agent": _plain(user_agent or ""),
    }


def _why(line: str) -> str:
    if _W3C.match(line):
        return _IS_W3C
    return _IS_JSON if line.startswith("{") else _UNKNOWN


def _nameless(line: str, visitor_of: Callable[[str], str]) -> str:
    """Replace the address, which is the first word or the second."""
    first, blank, rest = line.partition(" ")
    second = rest.partition(" ")[0]
    if _is_address(second):
        rest = visitor_of(second) + rest.removeprefix(second)
    return visitor_of(first) + blank + rest if first else line


def _is_address(word: str) -> bool:
    try:
        ip_address(word)
    except ValueError:
        return False
    return True


def _request(line: str) -> tuple[str, str]:
    """Split `GET /path HTTP/1.1`; anything but HTTP has neither method nor path."""
    words = line.split(" ")
    return (words[0], words[1]) if len(words) == _REQUEST_WORDS else ("", "")


def _kind(method: str, path: str, status: int) -> str:
    if status >= _FIRST_FAILURE or not method:
        return "failure"
    if status in _REDIRECTS:
        return "resource"  # nobody has seen it: the page it leads to is a line of its own
    suffix = splitext(path.partition("?")[0])[1].lower()
    return "page" if method == "GET" and suffix in _PAGES else "resource"


def _plain(text: str) -> str:
    return "" if text == "-" else _ESCAPED.sub(r"\1", text)
