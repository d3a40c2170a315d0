"""PURE: a body signed together with a time, so that neither can be changed or kept for later.

The same for what comes in by the server API and for what goes out by `touchstream webhook`:
`v1=` and the HMAC-SHA256 in hex of the time (seconds since 1970, as text), a dot, and the body.
"""

import hashlib
import hmac
from collections.abc import Iterable
from datetime import datetime, timedelta

TIMESTAMP = "x-touchstream-timestamp"
SIGNATURE = "x-touchstream-signature"
"""The headers, in lower case; HTTP does not mind."""

TOLERANCE = timedelta(minutes=5)
"""How far the time of a signature may be from now."""


def signature(secret: str, timestamp: str, body: bytes) -> str:
    """Give the value of the signature's header."""
    digest = hmac.digest(secret.encode(), timestamp.encode() + b"." + body, hashlib.sha256)
    return f"v1={digest.hex()}"


def is_signed(secrets: Iterable[str], timestamp: str, body: bytes, claimed: str) -> bool:
    """Tell whether one of `secrets` made the `claimed` signature; takes equally long for all."""
    expected = [signature(secret, timestamp, body).encode() for secret in secrets]
    # Not any(): it ends at the first hit, and time would tell which key is in use.
    return sum(hmac.compare_digest(each, claimed.encode()) for each in expected) > 0


def is_recent(timestamp: str, now: datetime, tolerance: timedelta = TOLERANCE) -> bool:
    """Tell whether `timestamp`, seconds since 1970, is no further than `tolerance` from `now`."""
    if not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) <= _LONGEST_TIME):
        return False
    return abs(now.timestamp() - int(timestamp)) <= tolerance.total_seconds()


_LONGEST_TIME = 12
