"""Sends one message to one endpoint, and retries until it is accepted or given up. Shell.

It only ever requests the URL in the settings. It does not follow redirects, use proxies from the
environment, or read the body of the answer.
"""

import asyncio
from collections.abc import Awaitable, Callable
from random import Random

import aiohttp

from pipeline.metrics import WEBHOOK_RETRIES
from pipeline.roles.webhook.message import Message, headers_of
from pipeline.settings import WebhookEndpoint

_FIRST_PAUSE_SECONDS = 1.0
_LONGEST_PAUSE_SECONDS = 60.0
_MAY_PASS = frozenset({408, 425, 429})
"""Refusals that may pass; any other 4xx, and a redirect, would be the same next time."""

Pause = Callable[[float], Awaitable[None]]


class Undeliverable(Exception):
    """The endpoint did not accept a message, and retrying is pointless; the text says why."""


class _TryAgain(Exception):
    """The endpoint did not accept a message this time; the text says why."""


class Courier:
    """Posts to `endpoint`, called `name`, up to `attempts` times each.

    It calls `excuse` before each attempt, because it may wait long for the endpoint.
    """

    def __init__(
        self,
        name: str,
        endpoint: WebhookEndpoint,
        session: aiohttp.ClientSession,
        *,
        attempts: int,
        clock: Callable[[], float],
        chance: Random,
        pause: Pause = asyncio.sleep,
    ) -> None:
        self.name = name
        self.endpoint = endpoint
        self._session = session
        self._attempts = attempts
        self._clock = clock
        self._chance = chance
        self._pause = pause
        self.excuse: Callable[[], None] = lambda: None

    async def deliver(self, message: Message) -> None:
        """Return when the endpoint has answered 2xx; else raise Undeliverable."""
        for attempt in range(1, self._attempts + 1):
            self.excuse()
            try:
                return await self._post(message)
            except _TryAgain as why:
                if attempt == self._attempts:
                    raise Undeliverable(f"failed {attempt} times, last: {why}") from None
            WEBHOOK_RETRIES.labels(self.name).inc()
            await self._pause(self._pause_after(attempt))
        return None

    def _pause_after(self, attempt: int) -> float:
        """Return a random part of a time that doubles, so that retries do not all come at once."""
        longest = min(_FIRST_PAUSE_SECONDS * 2 ** (attempt - 1), _LONGEST_PAUSE_SECONDS)
        return self._chance.uniform(longest / 2, longest)

    async def _post(self, message: Message) -> None:
        secret = self.endpoint.secret.get_secret_value()
        headers = headers_of(message, secret, str(int(self._clock())))
        try:
            async with self._session.post(
                self.endpoint.url, data=message.body, headers=headers, allow_redirects=False
            ) as answer:
                _judge(answer.status)
        except (aiohttp.ClientError, TimeoutError) as error:
            raise _TryAgain(repr(error)) from None


def _judge(status: int) -> None:
    if 200 <= status < 300:  # noqa: PLR2004 - as HTTP has it
        return
    if status >= 500 or status in _MAY_PASS:  # noqa: PLR2004
        raise _TryAgain(f"answered {status}")
    raise Undeliverable(f"answered {status}")
