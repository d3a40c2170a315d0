"""Who opens a mail without a person: prefetching programs, scanners, Apple's mail proxy. PURE.

A guess from what a request tells of itself; a scanner that passes itself off as a browser is not
found out.
"""

import ipaddress
from functools import lru_cache

import crawleruseragents

from pipeline.collector.request import Headers

_PROXIES = ("GoogleImageProxy", "YahooMailProxy")
"""Fetch an image when somebody looks at the mail; the user agent is then the proxy's."""

_PREFETCH = (
    ("sec-purpose", "prefetch"),
    ("purpose", "prefetch"),
    ("purpose", "preview"),
    ("x-purpose", "preview"),
    ("x-moz", "prefetch"),
)
"""Headers by which browsers say that nobody has asked yet."""

_SCANNERS = (
    "Edge/12.246 Mozilla/5.0",  # Gmail, before anybody has opened the mail
    "BingPreview",
    "Microsoft Office Existence Discovery",
    "Microsoft Office Protocol Discovery",
    "SkypeUriPreview",
    "Barracuda",
    "Mimecast",
    "Proofpoint",
    "ZScaler",
)
"""What fetches images and links of mails by itself, by what it calls itself."""

# Apple's Mail Privacy Protection loads every image of every mail, read or not, and calls itself
# by no more than this; Apple's own addresses are the other hint.
_APPLE_PROXY = "Mozilla/5.0"
_APPLE_NETWORK = ipaddress.ip_network("17.0.0.0/8")


def mail_proxy(user_agent: str) -> str:
    """Name the mail provider's proxy that `user_agent` is; empty if it is none."""
    return next((name for name in _PROXIES if name in user_agent), "")


def is_machine(headers: Headers, network: str) -> bool:
    """Tell whether no person stands behind a request from `network` (a truncated address)."""
    user_agent = headers.get("user-agent") or ""
    if any(word in (headers.get(name) or "").lower() for name, word in _PREFETCH):
        return True
    return is_machine_agent(user_agent) or _is_apple(network)


@lru_cache(maxsize=4096)
def is_machine_agent(user_agent: str) -> bool:
    """Tell whether a program of this name acts on its own: crawlers, scanners, libraries."""
    if mail_proxy(user_agent):
        return False
    name = user_agent.strip()
    if name in {"", _APPLE_PROXY} or any(scanner in name for scanner in _SCANNERS):
        return True
    return bool(crawleruseragents.is_crawler(name))


def _is_apple(network: str) -> bool:
    return network != "" and ipaddress.ip_address(network) in _APPLE_NETWORK
