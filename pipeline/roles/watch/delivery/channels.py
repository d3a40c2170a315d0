"""Sends alerts to the channels in the settings. Shell: `messages` writes the content.

Alertmanager gets every firing alert in every round, as it expects. Webhook, Slack and mail get what
is new. If one of them does not accept an alert, the next rounds send it again in its newest
version, for a day. Channels are independent: one that hangs or refuses delays neither the others
nor the watch.
"""

import asyncio
import logging
import smtplib
import ssl
import time
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from functools import partial
from urllib.parse import unquote, urlsplit

import aiohttp

from pipeline import metrics
from pipeline.roles.watch.delivery import messages
from pipeline.settings import Settings
from schemas.alert import Alert

_log = logging.getLogger(__name__)

_TIMEOUT = aiohttp.ClientTimeout(total=10)
_MAIL_SECONDS = 20
_GIVE_UP_AFTER = timedelta(days=1)

Send = Callable[[Alert], Awaitable[None]]


class NotTaken(Exception):
    """A channel did not accept an alert; the text says why, without its address."""


_PATIENCE_SECONDS = 5.0
_REFUSED = (NotTaken, ValueError, smtplib.SMTPDataError)
"""A channel that fails like this may accept another alert."""
_AWAY = (aiohttp.ClientError, OSError, smtplib.SMTPException)
"""A channel that fails like this accepts no other alert now either."""


class Channels:
    """All channels of the settings, and what each of them has not received yet."""

    def __init__(self, settings: Settings, session: aiohttp.ClientSession) -> None:
        self._settings = settings
        self._session = session
        self._waiting: dict[str, dict[str, Alert]] = {name: {} for name in self._sends()}
        self._ended: dict[str, Alert] = {}
        self._jobs: dict[str, asyncio.Task[None]] = {}
        metrics.show_from_zero(
            ("alertmanager", *self._waiting), metrics.WATCH_DELIVERED, metrics.WATCH_UNDELIVERED
        )

    def _sends(self) -> dict[str, Send]:
        settings = self._settings
        chosen: dict[str, tuple[object, Send]] = {
            "webhook": (settings.watch_webhook_url, self._webhook),
            "slack": (settings.watch_slack_url, self._slack),
            "mail": (settings.watch_mail_to, self._mail),
        }
        return {name: send for name, (is_set, send) in chosen.items() if is_set}

    async def tell(self, news: Sequence[Alert], firing: Sequence[Alert]) -> None:
        """Send what is new, and to Alertmanager everything that fires; retry unavailable channels
        later.

        It waits only some seconds for a channel: a slow one continues in the background.
        """
        for alert in news:
            for waiting in self._waiting.values():
                waiting[alert.alert_id] = alert
            if alert.is_over:
                self._ended[alert.alert_id] = alert
        self._begin("alertmanager", lambda: self._alertmanager(firing))
        for name, send in self._sends().items():
            self._begin(name, partial(self._tell_one, name, send))
        await asyncio.wait(self._jobs.values(), timeout=_PATIENCE_SECONDS)

    async def try_out(self, alert: Alert) -> dict[str, str]:
        """Send `alert` to every channel, once; by channel, why it did not take it, or nothing."""
        sends = self._sends()
        if self._settings.watch_alertmanager_url:
            sends["alertmanager"] = lambda one: self._to_alertmanager([one])
        return {name: await _problem_of(send(alert)) for name, send in sends.items()}

    async def aclose(self) -> None:
        """Cancel what is under way."""
        for job in self._jobs.values():
            job.cancel()
        await asyncio.gather(*self._jobs.values(), return_exceptions=True)

    def _begin(self, name: str, work: Callable[[], Coroutine[None, None, None]]) -> None:
        """Start a job of a channel, if its last job has ended."""
        if name not in self._jobs or self._jobs[name].done():
            self._jobs[name] = asyncio.create_task(work())

    async def _tell_one(self, name: str, send: Send) -> None:
        """Send what waits; a refused alert does not delay the others."""
        waiting = self._waiting[name]
        for alert in list(waiting.values()):
            try:
                is_done = await self._delivered(name, send(alert)) or _is_old(alert)
            except _AWAY:
                return
            if is_done and waiting[alert.alert_id] is alert:
                del waiting[alert.alert_id]

    async def _alertmanager(self, firing: Sequence[Alert]) -> None:
        alerts, ended = [*firing, *self._ended.values()], dict(self._ended)
        if not self._settings.watch_alertmanager_url or not alerts:
            return
        with suppress(*_AWAY):
            if await self._delivered("alertmanager", self._to_alertmanager(alerts)):
                for alert_id in ended:
                    del self._ended[alert_id]

    async def _to_alertmanager(self, alerts: Sequence[Alert]) -> None:
        url = self._settings.watch_alertmanager_url
        body = messages.for_alertmanager(alerts, datetime.now(UTC), self._settings.watch_interval)
        await self._post(f"{url}/api/v2/alerts", json=body)

    async def _delivered(self, name: str, sending: Awaitable[None]) -> bool:
        """Tell whether it was accepted; raise one of `_AWAY` if the channel does not answer."""
        try:
            await sending
        except (*_REFUSED, *_AWAY) as error:
            metrics.WATCH_UNDELIVERED.labels(name).inc()
            _log.warning(
                "%s did not take an alert, it will be sent again: %s",
                name,
                _told(error),
                extra={"event": "alert_not_taken"},
            )
            if not isinstance(error, _REFUSED):
                raise
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


async def send_test(settings: Settings) -> dict[str, str]:
    """Send a test message to every channel of the settings; by channel, why it was not taken."""
    link = settings.watch_link.format(site="", step="", alert_id="")
    async with aiohttp.ClientSession() as session:
        alert = messages.trial(datetime.now(UTC), link)
        return await Channels(settings, session).try_out(alert)


async def _problem_of(sending: Awaitable[None]) -> str:
    try:
        await sending
    except (*_REFUSED, *_AWAY) as error:
        return _told(error)
    return ""


def _told(error: BaseException) -> str:
    """Name what went wrong, without an address or a secret."""
    return str(error) if isinstance(error, NotTaken) else type(error).__name__


def _is_old(alert: Alert) -> bool:
    return datetime.now(UTC) - alert.updated_at > _GIVE_UP_AFTER


def send_mail(url: str, mail: EmailMessage) -> None:
    """Hand a mail to the server at `url`: smtp://user:password@host:port, with STARTTLS, or
    smtps://.

    `smtp://` without a user is unencrypted, if the server offers nothing else.
    """
    at = urlsplit(url)
    where = at.hostname or "", at.port or 0
    trusted = ssl.create_default_context()
    with (
        smtplib.SMTP_SSL(*where, timeout=_MAIL_SECONDS, context=trusted)
        if at.scheme == "smtps"
        else smtplib.SMTP(*where, timeout=_MAIL_SECONDS)
    ) as server:
        server.ehlo()
        if at.scheme == "smtp" and (at.username or server.has_extn("starttls")):
            server.starttls(context=trusted)
        if at.username:
            server.login(unquote(at.username), unquote(at.password or ""))
        server.send_message(mail)
