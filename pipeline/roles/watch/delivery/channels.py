"""Sends alerts to where the settings say. Shell: what is sent stands in `messages`.

Alertmanager is told all that fires in every round, as it expects. Webhook, Slack and mail are told
what is new; what one of them does not take is sent to it again in the next rounds, in its newest
version.
"""

import asyncio
import logging
import smtplib
import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from email.message import EmailMessage
from urllib.parse import unquote, urlsplit

import aiohttp

from pipeline import metrics
from pipeline.roles.watch.delivery import messages
from pipeline.settings import Settings
from schemas.alert import Alert

_log = logging.getLogger(__name__)

_TIMEOUT = aiohttp.ClientTimeout(total=10)
_MAIL_SECONDS = 20

Send = Callable[[Alert], Awaitable[None]]


class NotTaken(Exception):
    """A channel did not take an alert; the text says why, without its address."""


class Channels:
    """All channels of the settings, and what each of them has yet to be told."""

    def __init__(self, settings: Settings, session: aiohttp.ClientSession) -> None:
        self._settings = settings
        self._session = session
        self._waiting: dict[str, dict[str, Alert]] = {name: {} for name in self._sends()}
        self._ended: dict[str, Alert] = {}

    def _sends(self) -> dict[str, Send]:
        settings = self._settings
        chosen: dict[str, tuple[object, Send]] = {
            "webhook": (settings.watch_webhook_url, self._webhook),
            "slack": (settings.watch_slack_url, self._slack),
            "mail": (settings.watch_mail_to, self._mail),
        }
        return {name: send for name, (is_set, send) in chosen.items() if is_set}

    async def tell(self, news: Sequence[Alert], firing: Sequence[Alert]) -> None:
        """Send what is new, and to Alertmanager all that fires; who is away is told later."""
        for alert in news:
            for waiting in self._waiting.values():
                waiting[alert.alert_id] = alert
            if alert.is_over:
                self._ended[alert.alert_id] = alert
        jobs = [self._tell_one(name, send) for name, send in self._sends().items()]
        await asyncio.gather(self._alertmanager(firing), *jobs)

    async def _tell_one(self, name: str, send: Send) -> None:
        for alert in list(self._waiting[name].values()):
            if await self._delivered(name, send(alert)):
                del self._waiting[name][alert.alert_id]
            else:
                return

    async def _alertmanager(self, firing: Sequence[Alert]) -> None:
        alerts = [*firing, *self._ended.values()]
        url = self._settings.watch_alertmanager_url
        if not url or not alerts:
            return
        body = messages.for_alertmanager(alerts, datetime.now(UTC), self._settings.watch_interval)
        if await self._delivered("alertmanager", self._post(f"{url}/api/v2/alerts", json=body)):
            self._ended.clear()

    async def _delivered(self, name: str, sending: Awaitable[None]) -> bool:
        try:
            await sending
        except (NotTaken, aiohttp.ClientError, OSError, smtplib.SMTPException) as error:
            metrics.WATCH_UNDELIVERED.labels(name).inc()
            why = error if isinstance(error, NotTaken) else type(error).__name__
            _log.warning("%s did not take an alert, it will be sent again: %s", name, why)
            return False
        metrics.WATCH_DELIVERED.labels(name).inc()
        return True

    async def _webhook(self, alert: Alert) -> None:
        secret = self._settings.watch_webhook_secret.get_secret_value()
        body, headers = messages.for_webhook(alert, secret, int(time.time()))
        await self._post(self._settings.watch_webhook_url, data=body, headers=headers)

    async def _slack(self, alert: Alert) -> None:
        url = self._settings.watch_slack_url.get_secret_value()
        await self._post(url, json=messages.for_slack(alert))

    async def _post(self, url: str, **request: object) -> None:
        async with self._session.post(
            url,
            allow_redirects=False,
            timeout=_TIMEOUT,
            **request,  # type: ignore[arg-type]
        ) as answer:
            if not 200 <= answer.status < 300:  # noqa: PLR2004 - as HTTP has it
                raise NotTaken(f"answered {answer.status}")

    async def _mail(self, alert: Alert) -> None:
        settings = self._settings
        mail = messages.for_mail(alert, settings.watch_mail_from, settings.watch_mail_to)
        await asyncio.to_thread(send_mail, settings.watch_smtp_url.get_secret_value(), mail)


def send_mail(url: str, mail: EmailMessage) -> None:
    """Hand a mail to the server at `url`: smtp://user:password@host:port, with STARTTLS, or smtps://.

    `smtp://` without a user is unencrypted, if the server offers nothing else.
    """
    at = urlsplit(url)
    make = smtplib.SMTP_SSL if at.scheme == "smtps" else smtplib.SMTP
    with make(at.hostname or "", at.port or 0, timeout=_MAIL_SECONDS) as server:
        if at.scheme == "smtp" and (at.username or server.has_extn("starttls")):
            server.starttls()
        if at.username:
            server.login(unquote(at.username), unquote(at.password or ""))
        server.send_message(mail)
