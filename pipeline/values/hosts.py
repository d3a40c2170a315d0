"""Hosts as DNS has them: a name in Unicode and its punycode are one host. PURE.

Browsers tell punycode (`xn--mller-kva.de`), people write `müller.de`. The mapping is that of
browsers: UTS 46, as the package `idna` has it.
"""

import re
from functools import lru_cache

import idna

_LONGEST_LABEL = 63
_NO_NAME = re.compile(r"[^a-z0-9\u0080-\U0010ffff-]")


@lru_cache(maxsize=4096)
def ascii_host(host: str) -> str:
    """Give a host in lower case and ASCII, without a dot at its end; `*.` in front may stay.

    What is no host of the net, such as `my_shop`, stays as it is.
    """
    lower = host.strip().lower().replace("\u3002", ".").rstrip(".")
    return lower if lower.isascii() else ".".join(map(_label, lower.split(".")))


def ascii_origin(origin: str) -> str:
    """Give an origin as browsers send it: scheme, host in ASCII, port."""
    scheme, separator, place = origin.partition("://")
    host, colon, port = place.partition(":")
    return f"{scheme.lower()}{separator}{ascii_host(host)}{colon}{port}" if separator else origin


def _label(label: str) -> str:
    try:
        return idna.encode(label, uts46=True).decode()
    except (idna.IDNAError, UnicodeError):
        return _as_browsers(label)


def _as_browsers(label: str) -> str:
    """Encode what the standard forbids and registries sell all the same, such as an emoji."""
    if label.isascii() or _NO_NAME.search(label):
        return label
    coded = f"xn--{label.encode('punycode').decode()}"
    return coded if len(coded) <= _LONGEST_LABEL else label
