"""PURE: what is signed: a body together with a time, or a text that goes around on its own.

The same for what comes in by the server API and for what goes out by `touchstream webhook`:
`v1=` and the HMAC-SHA256 in hex of the time (seconds since 1970, as text), a dot, and the body.
"""

import base64
import binascii
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


def seal(content: bytes, key: str, context: bytes) -> str:
    """Give `content` and its HMAC-SHA256 as a token: both in base64url, with a dot between.

    `context` says what the token is for: one of another context opens nothing.
    """
    return f"{_text(content)}.{_text(_mac(key, context, content))}"


def unseal(token: str, keys: Iterable[str], context: bytes) -> bytes | None:
    """Give the content of a token; None if no key of `keys` has sealed exactly that."""
    content, _, mac = token.partition(".")
    try:
        said, claimed = _bytes(content), _bytes(mac)
    except (binascii.Error, ValueError):
        return None
    # Not any(): it ends at the first hit, and time would tell which key is in use.
    hits = sum(hmac.compare_digest(_mac(key, context, said), claimed) for key in keys)
    return said if hits else None


def _mac(key: str, context: bytes, content: bytes) -> bytes:
    return hmac.digest(key.encode(), context + content, hashlib.sha256)


def _text(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def _bytes(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)


def standard_headers(secret: str, message_id: str, timestamp: int, body: bytes) -> dict[str, str]:
    """Give the headers by which a message proves itself, as Standard Webhooks 1.0 has them.

    https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
    """
    signed = f"{message_id}.{timestamp}.".encode() + body
    digest = hmac.digest(_key(secret), signed, hashlib.sha256)
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": f"v1,{base64.b64encode(digest).decode()}",
    }


def _key(secret: str) -> bytes:
    """Read a secret as the libraries of Standard Webhooks do: base64, with or without whsec_."""
    try:
        return base64.b64decode(secret.removeprefix("whsec_"), validate=True)
    except ValueError:
        return secret.encode()
