"""PURE: an alert in the form that Alertmanager, a webhook, a mailbox and Slack expect."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from email.message import EmailMessage
from typing import Any

from pipeline.signed.signature import standard_headers
from pipeline.values.totals import shown
from schemas.alert import Alert
from schemas.codec import encode

NAMES = {
    "conversion": "DropOff",
    "volume": "VolumeDown",
    "silence": "SourceSilent",
    "abandonment": "AbandonmentUp",
    "errors": "ErrorsUp",
}
"""What Alertmanager calls each kind, and the heading in docs/runbook.md."""


_TEST = "TestMessage"
"""What Alertmanager calls the message that only shows that messages arrive."""


def trial(now: datetime, link: str) -> Alert:
    """Make an alert that only shows that alerts arrive; it ends by itself."""
    return Alert(
        alert_id=f"test-{now:%Y%m%dT%H%M%S}",
        site="test-message",
        kind="test",
        step="Test",
        opened_at=now,
        since=now,
        updated_at=now,
        observed=0,
        expected=0,
        change=0,
        certainty=0,
        people=0,
        title="Test message: nothing is wrong. Alerts of Touchstream reach you here",
        link=link,
        version=1,
    )


def for_alertmanager(
    alerts: Sequence[Alert], now: datetime, repeated_every: timedelta
) -> list[dict[str, Any]]:
    """Write the body of POST /api/v2/alerts.

    Labels never change while an alert lives: Alertmanager identifies it by them. A firing alert
    ends by itself if nothing more is sent: after four rounds, but not before a restart is over.
    """
    until = now + max(4 * repeated_every, _RESTART)
    return [_of_alertmanager(alert, until) for alert in alerts]


_RESTART = timedelta(minutes=5)


def _of_alertmanager(alert: Alert, fires_until: datetime) -> dict[str, Any]:
    labels = {
        "alertname": NAMES.get(alert.kind, _TEST),
        "alert_id": alert.alert_id,
        "site": alert.site,
        "step": alert.step,
        "next_step": alert.next_step,
        "severity": alert.severity,
    }
    return {
        "labels": {name: value for name, value in labels.items() if value},
        "annotations": _annotations(alert),
        "startsAt": alert.opened_at.isoformat(),
        "endsAt": (alert.resolved_at or fires_until).isoformat(),
        "generatorURL": alert.link,
    }


def _annotations(alert: Alert) -> dict[str, str]:
    told = {
        "summary": alert.title,
        "slice": f"{alert.dimension}={alert.value}" if alert.dimension else "everywhere",
        "slices": _explained(alert),
        "since": alert.since.isoformat(),
        "certainty": f"{alert.certainty:.1%}",
        "people": str(alert.people),
        "money": f"{shown(alert.money, alert.currency)} {alert.currency}".replace(",", "")
        if alert.money
        else "",
        "notes": ", ".join(alert.notes),
        "link": alert.link,
    }
    return {name: value for name, value in told.items() if value}


def for_webhook(alert: Alert, secret: str, timestamp: int) -> tuple[bytes, dict[str, str]]:
    """Write body and headers of a POST that is signed as Standard Webhooks demands."""
    body = encode({"type": f"alert.{alert.state}", "timestamp": alert.updated_at, "data": alert})
    message_id = f"{alert.alert_id}:{alert.version}"
    headers = {"content-type": "application/json", "user-agent": "touchstream-watch"}
    return body, headers | standard_headers(secret, message_id, timestamp, body)


def for_slack(alert: Alert) -> dict[str, Any]:
    """Write the body for an incoming webhook of Slack: a text, and the same as blocks."""
    sign = ":white_check_mark:" if alert.is_over else ":rotating_light:"
    facts = [f"*{name}*\n{_escaped(value)}" for name, value in _facts(alert).items()]
    blocks: list[dict[str, Any]] = [
        {"type": "section", "text": _mrkdwn(f"{sign} {_escaped(alert.title)}")},
        {"type": "section", "fields": [_mrkdwn(fact) for fact in facts]},
    ]
    if alert.link:
        blocks.append({"type": "context", "elements": [_mrkdwn(f"<{alert.link}|Look at it>")]})
    return {"text": f"{sign} {_escaped(alert.title)}", "blocks": blocks}


def for_mail(alert: Alert, sender: str, receivers: Sequence[str]) -> EmailMessage:
    """Write the mail; all mails about an alert form one thread."""
    domain = sender.rpartition("@")[2].rstrip(">")
    first = f"<{alert.alert_id}@{domain}>"
    mail = EmailMessage()
    mail["From"] = sender
    mail["To"] = ", ".join(receivers)
    mail["Subject"] = f"[{alert.state.upper()}] {_on_a_line(alert.title)}"
    mail["Date"] = alert.updated_at
    if alert.version > 1:
        mail["Message-ID"] = f"<{alert.alert_id}.{alert.version}@{domain}>"
        mail["In-Reply-To"] = mail["References"] = first
    else:
        mail["Message-ID"] = first
    lines = [f"{name}: {value}" for name, value in _facts(alert).items()]
    mail.set_content("\n".join((alert.title, "", *lines, alert.link)))
    return mail


def _facts(alert: Alert) -> Mapping[str, str]:
    told = {
        "Since": alert.since.strftime("%Y-%m-%d %H:%M UTC"),
        "Seen / usual": f"{alert.observed:,.0f} / {alert.expected:,.0f} ({alert.change:+.0%})",
        "People": f"{alert.people:,}",
        "Money": f"{shown(alert.money, alert.currency)} {alert.currency}" if alert.money else "",
        "How sure": f"{alert.certainty:.1%}",
        "Explained by": _explained(alert),
        "Special time": ", ".join(alert.notes),
    }
    return {name: value for name, value in told.items() if value}


def _explained(alert: Alert) -> str:
    named = [f"{part.dimension} {part.value}".strip() or "everywhere" for part in alert.slices]
    shares = [f"{part.share:.0%}" for part in alert.slices]
    return ", ".join(f"{name} ({share})" for name, share in zip(named, shares, strict=True))


def _mrkdwn(text: str) -> dict[str, str]:
    return {"type": "mrkdwn", "text": text[:_SLACK_LONGEST]}


_SLACK_LONGEST = 2000


def _escaped(text: str) -> str:
    """Escape the three characters that have a meaning in Slack."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _on_a_line(text: str) -> str:
    return " ".join(text.split())
