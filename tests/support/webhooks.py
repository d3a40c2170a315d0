"""Providers as the collector meets them: the golden examples, signed as each of them signs."""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, urlencode

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

import schemas

EXAMPLES = sorted((Path(schemas.__file__).parent / "examples" / "webhooks").glob("*/*.json"))

_KEY = ec.derive_private_key(7, ec.SECP256R1())
_PUBLIC = _KEY.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)

SECRETS = {
    "brevo": "brevo-user:brevo-password",
    "mailchimp": "mailchimp-secret",
    "mailgun": "mailgun-signing-key",
    "mandrill": "mandrill-webhook-key",
    "postmark": "postmark-user:postmark-password",
    "sendgrid": base64.b64encode(_PUBLIC).decode(),
}
PUBLIC_URL = "https://t.shop.example"


class Request(NamedTuple):
    """A webhook's POST."""

    query: str
    headers: dict[str, str]
    body: bytes


def request(provider: str, said: Any, at: datetime, site: str = "shop") -> Request:
    """Sign what the provider says, at the time `at`."""
    return signed(provider, _body(provider, said, str(int(at.timestamp()))), at, site)


def example(path: Path) -> tuple[str, Any, list[list[str]]]:
    """Give provider, what it says, and the touchpoints expected of that."""
    told = json.loads(path.read_text())
    return path.parent.name, told["body"], told["expected"]


def instant(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def _basic(secret: str) -> dict[str, str]:
    return {"authorization": f"Basic {base64.b64encode(secret.encode()).decode()}"}


def signed(provider: str, body: bytes, at: datetime, site: str = "shop") -> Request:
    """Sign any body, where the signature is not a part of it."""
    return _SIGNED[provider](body, str(int(at.timestamp())), site)


def _sendgrid(body: bytes, timestamp: str, _site: str) -> Request:
    signature = _KEY.sign(timestamp.encode() + body, ec.ECDSA(SHA256()))
    header = "x-twilio-email-event-webhook-"
    told = base64.b64encode(signature).decode()
    return Request("", {f"{header}timestamp": timestamp, f"{header}signature": told}, body)


def _mandrill(body: bytes, _timestamp: str, site: str) -> Request:
    fields = dict(parse_qsl(body.decode(errors="replace"), keep_blank_values=True))
    told = "".join(name + fields[name] for name in sorted(fields))
    url = f"{PUBLIC_URL}/v1/webhooks/mandrill/{site}"
    mac = hmac.new(SECRETS["mandrill"].encode(), (url + told).encode(), hashlib.sha1).digest()
    return Request("", {"x-mandrill-signature": base64.b64encode(mac).decode()}, body)


def _with_signature(said: Any, timestamp: str) -> Any:
    """Add what Mailgun signs its time with: it stands beside the event."""
    token = "t" * 50
    key = SECRETS["mailgun"].encode()
    mac = hmac.new(key, (timestamp + token).encode(), hashlib.sha256).hexdigest()
    return said | {"signature": {"timestamp": timestamp, "token": token, "signature": mac}}


_SIGNED: dict[str, Callable[[bytes, str, str], Request]] = {
    "brevo": lambda body, _at, _site: Request("", _basic(SECRETS["brevo"]), body),
    "mailchimp": lambda body, _at, _site: Request(f"secret={SECRETS['mailchimp']}", {}, body),
    "mailgun": lambda body, _at, _site: Request("", {}, body),
    "mandrill": _mandrill,
    "postmark": lambda body, _at, _site: Request("", _basic(SECRETS["postmark"]), body),
    "sendgrid": _sendgrid,
}


def _body(provider: str, said: Any, timestamp: str) -> bytes:
    match provider:
        case "mailchimp":
            return urlencode(said).encode()
        case "mandrill":
            return urlencode({"mandrill_events": json.dumps(said)}).encode()
        case "mailgun":
            return json_of(_with_signature(said, timestamp))
        case _:
            return json_of(said)


def json_of(said: Any) -> bytes:
    return json.dumps(said).encode()
