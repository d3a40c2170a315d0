"""Providers as the collector meets them: the golden examples, signed as each of them signs."""

import base64
import hashlib
import hmac
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlencode

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
    return _SIGNED[provider](said, str(int(at.timestamp())), site)


def example(path: Path) -> tuple[str, Any, list[list[str]]]:
    """Give provider, what it says, and the touchpoints expected of that."""
    told = json.loads(path.read_text())
    return path.parent.name, told["body"], told["expected"]


def instant(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def _basic(secret: str) -> dict[str, str]:
    return {"authorization": f"Basic {base64.b64encode(secret.encode()).decode()}"}


def _sendgrid(said: Any, timestamp: str, _site: str) -> Request:
    body = json.dumps(said).encode()
    signature = _KEY.sign(timestamp.encode() + body, ec.ECDSA(SHA256()))
    header = "x-twilio-email-event-webhook-"
    signed = base64.b64encode(signature).decode()
    return Request("", {f"{header}timestamp": timestamp, f"{header}signature": signed}, body)


def _mailgun(said: Any, timestamp: str, _site: str) -> Request:
    token = "t" * 50
    key = SECRETS["mailgun"].encode()
    mac = hmac.new(key, (timestamp + token).encode(), hashlib.sha256).hexdigest()
    signature = {"timestamp": timestamp, "token": token, "signature": mac}
    return Request("", {}, json.dumps(said | {"signature": signature}).encode())


def _mandrill(said: Any, _timestamp: str, site: str) -> Request:
    fields = {"mandrill_events": json.dumps(said)}
    signed = f"{PUBLIC_URL}/v1/webhooks/mandrill/{site}mandrill_events{fields['mandrill_events']}"
    mac = hmac.new(SECRETS["mandrill"].encode(), signed.encode(), hashlib.sha1).digest()
    signature = base64.b64encode(mac).decode()
    return Request("", {"x-mandrill-signature": signature}, urlencode(fields).encode())


_SIGNED = {
    "brevo": lambda said, _at, _site: Request("", _basic(SECRETS["brevo"]), json_of(said)),
    "mailchimp": lambda said, _at, _site: Request(
        f"secret={SECRETS['mailchimp']}", {}, urlencode(said).encode()
    ),
    "mailgun": _mailgun,
    "mandrill": _mandrill,
    "postmark": lambda said, _at, _site: Request("", _basic(SECRETS["postmark"]), json_of(said)),
    "sendgrid": _sendgrid,
}


def json_of(said: Any) -> bytes:
    return json.dumps(said).encode()
