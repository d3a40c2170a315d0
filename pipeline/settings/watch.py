"""Settings of the watch: what it watches, and where it sends alerts."""

from datetime import timedelta
from typing import Annotated

from pydantic import AfterValidator, BaseModel, Field, SecretStr

from pipeline.settings.kinds import Duration, File, Secret, Wait, http


def _http_or_nothing(url: str) -> str:
    return http(url) if url else url


def _smtp(url: SecretStr) -> SecretStr:
    text = url.get_secret_value()
    if text and not text.startswith(("smtp://", "smtps://")):
        raise ValueError("must start with smtp:// or smtps://")
    return url


def _link(link: str) -> str:
    try:
        link.format(site="", step="", alert_id="")
    except (LookupError, ValueError, AttributeError, TypeError):
        raise ValueError("may name {site}, {step} and {alert_id}, and no other braces") from None
    if any(character.isspace() for character in link):
        raise ValueError("must not contain a space")
    _http_or_nothing(link)
    return link


_Url = Annotated[str, AfterValidator(_http_or_nothing)]


class WatchSettings(BaseModel):
    """Alerts; docs/alerts.md explains them."""

    watch_interval: Duration = Field(
        timedelta(seconds=60),
        ge=timedelta(seconds=1),
        description="How often the watch judges the minutes that are due.",
    )
    watch_grace: Wait = Field(
        timedelta(seconds=30),
        description="How long a minute waits for late touchpoints after tracker and sink have "
        "caught up with it.",
    )
    watch_rules: File = Field(
        None,
        description="TOML file that says what is watched; by default schemas/watch/default.toml.",
    )
    watch_link: Annotated[str, AfterValidator(_link)] = Field(
        "http://127.0.0.1:3000/d/funnel-and-abandonment?var-site={site}",
        description="Link in an alert; {site}, {step} and {alert_id} are filled in.",
    )
    watch_alertmanager_url: _Url = Field(
        "", description="Alertmanager (API v2) that gets the alerts, e.g. http://127.0.0.1:9093."
    )
    watch_webhook_url: _Url = Field("", description="URL to which each alert is posted, signed.")
    watch_webhook_secret: Secret = Field(
        SecretStr(""),
        description="Secret that signs these posts (Standard Webhooks): openssl rand -base64 32.",
    )
    watch_slack_url: SecretStr = Field(
        SecretStr(""), description="Incoming webhook of Slack, or of a service with the same API."
    )
    watch_smtp_url: Annotated[SecretStr, AfterValidator(_smtp)] = Field(
        SecretStr(""), description="Mail server: smtp://user:password@host:587, or smtps://."
    )
    watch_mail_from: str = Field("", description="Sender of mails about alerts.")
    watch_mail_to: list[str] = Field(
        default_factory=list, description="Recipients of mails about alerts."
    )
    watch_metrics_port: int = Field(9103, ge=0, le=65535, description="0: no metrics.")
