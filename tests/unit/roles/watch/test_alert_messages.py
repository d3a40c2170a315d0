"""What is told about an alert, in the words of each receiver."""

import base64
import hashlib
import hmac
import json
from datetime import UTC, datetime, timedelta

import pytest

from pipeline.roles.watch.delivery.messages import (
    for_alertmanager,
    for_mail,
    for_slack,
    for_webhook,
)
from pipeline.signed.signature import standard_headers
from schemas.alert import Alert, Explanation

NOW = datetime(2026, 3, 1, 12, 30, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def alert(**changed: object) -> Alert:
    said: dict[str, object] = {
        "alert_id": "a" * 32,
        "site": "shop",
        "kind": "conversion",
        "step": "Checkout Started",
        "next_step": "Order Completed",
        "opened_at": NOW - 10 * MINUTE,
        "since": NOW - 20 * MINUTE,
        "updated_at": NOW,
        "dimension": "browser",
        "value": "Safari",
        "slices": (Explanation("browser", "Safari", 0.9), Explanation("", "", 0.1)),
        "observed": 3.0,
        "expected": 44.0,
        "change": -0.93,
        "certainty": 0.999,
        "people": 41,
        "money": 3180.0,
        "currency": "EUR",
        "title": "shop: Checkout Started → Order Completed down 93% <b>&",
        "link": "http://127.0.0.1/d/x",
        "version": 1,
    }
    return Alert(**(said | changed))  # type: ignore[arg-type]


def resolved() -> Alert:
    return alert(state="resolved", resolved_at=NOW, version=3)


def test_alertmanager_is_told_until_when_it_fires_and_when_it_was_over() -> None:
    firing, over = for_alertmanager([alert(), resolved()], NOW, MINUTE)
    assert firing["endsAt"] == (NOW + 5 * MINUTE).isoformat()
    assert over["endsAt"] == NOW.isoformat()
    assert firing["labels"] == over["labels"]
    assert firing["annotations"]["slice"] == "browser=Safari"
    assert firing["annotations"]["money"] == "3180.00 EUR"


def test_labels_do_not_change_with_what_is_learned_about_an_alert() -> None:
    changed = alert(dimension="", value="", people=90, change=-0.5, version=7, title="else")
    one, other = for_alertmanager([alert(), changed], NOW, MINUTE)
    assert one["labels"] == other["labels"]


def test_a_webhook_is_signed_as_standard_webhooks_has_it() -> None:
    secret = base64.b64encode(b"k" * 32).decode()
    body, headers = for_webhook(alert(), secret, 1767268800)
    told = f"{'a' * 32}:1.1767268800.".encode() + body
    digest = base64.b64encode(hmac.new(b"k" * 32, told, hashlib.sha256).digest()).decode()
    assert headers["webhook-signature"] == f"v1,{digest}"
    said = json.loads(body)
    assert (said["type"], said["data"]["people"]) == ("alert.firing", 41)


def test_the_sample_of_the_standard_is_signed_as_the_standard_says() -> None:
    """https://github.com/standard-webhooks/standard-webhooks: its libraries test with this one."""
    headers = standard_headers(
        "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        "msg_p5jXN8AQM9LWM0D4loKWxJek",
        1614265330,
        b'{"test": 2432232314}',
    )
    assert headers["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


@pytest.mark.parametrize("prefix", ["", "whsec_"])
def test_a_secret_is_the_same_with_its_prefix(prefix: str) -> None:
    secret = base64.b64encode(b"k" * 32).decode()
    one, other = (standard_headers(s, "i", 1, b"") for s in (secret, prefix + secret))
    assert one == other


def test_slack_gets_no_markup_of_others() -> None:
    told = json.dumps(for_slack(alert()))
    assert "&lt;b&gt;&amp;" in told
    assert "<b>" not in told
    assert "41" in told


def test_mails_about_an_alert_are_one_thread_and_a_line_break_starts_no_header() -> None:
    first = for_mail(alert(title="a\nBcc: x@y.example"), "shop@s.example", ["on@call.example"])
    last = for_mail(resolved(), "shop@s.example", ["on@call.example"])
    assert first["Bcc"] is None
    assert last["In-Reply-To"] == first["Message-ID"]
    assert last["Message-ID"] != first["Message-ID"]
    assert first["Subject"].startswith("[FIRING]")
    assert last["Subject"].startswith("[RESOLVED]")
    assert "3,180.00 EUR" in last.get_content()
