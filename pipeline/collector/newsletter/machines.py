"""Machines that open mails: prefetching programs, scanners, Apple's mail proxy. PURE.

This is a guess from what a request says about itself; a scanner that poses as a browser is not
recognised.
"""

import ipaddress
from functools import lru_cache

import crawleruseragents

from pipeline.collector.request import Headers

_PROXIES = ("GoogleImageProxy", "YahooMailProxy")
"""Proxies that fetch an image when somebody looks at the mail; the user agent is the proxy's."""

_PREFETCH = (
    ("sec-purpose", "prefetch"),
    ("purpose", "prefetch"),
    ("purpose", "preview"),
    ("x-purpose", "preview"),
    ("x-moz", "prefetch"),
)
"""Headers with which browsers mark a prefetch."""

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
"""User agents that fetch images and links of mails by themselves."""

# Apple's Mail Privacy Protection loads every image of every mail, read or not, and calls itself
# by no more than this; Apple's own addresses are the other hint.
_APPLE_PROXY = "Mozilla/5.0"
_APPLE_NETWORK = ipaddress.ip_network("17.0.0.0/8")


def mail_proxy(user_agent: str) -> str:
    """Name the mail provider's proxy that `user_agent` is; empty if it is none."""
    return next((name for name in _PROXIES if name in user_agent), "")


def is_machine(headers: Headers, network: str) -> bool:
    """Tell whether a request from `network` (a truncated address) was made by a machine."""
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
