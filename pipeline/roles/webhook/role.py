"""`touchstream webhook` as a process: each endpoint has its own consumer group. Shell.

So an endpoint that is slow or unreachable delays no other endpoint.
"""

import asyncio
import time
from random import SystemRandom

import aiohttp
from aiokafka.errors import KafkaError

from pipeline import metrics
from pipeline.kafka import clients
from pipeline.kafka.dead_letters import DeadLetters
from pipeline.kafka.lag import ends
from pipeline.kafka.rights import check_rights
from pipeline.kafka.watchdog import Watchdog, complaints
from pipeline.roles.webhook.courier import Courier
from pipeline.roles.webhook.deliveries import Bury, Deliveries
from pipeline.roles.webhook.message import TOPICS, Wishes
from pipeline.settings import BadSettings, Settings, WebhookEndpoint
from schemas.errors import TouchstreamError
from schemas.topics import DEAD_LETTERS

_LONGEST_ROUND_MS = 6 * 60 * 60 * 1000
"""Long, because retries take time; missing heartbeats reveal that a process has died."""


class WebhookFailed(TouchstreamError):
    """The role cannot start; the text says what to do."""


async def run(settings: Settings) -> None:
    """Deliver to every endpoint until cancelled.

    Raises:
        BadSettings: the settings name no endpoint.
        WebhookFailed: Kafka is gone.
        NotAcknowledged: Kafka does not answer.
    """
    if not settings.webhook_endpoints:
        raise BadSettings("no endpoint: set TOUCHSTREAM_WEBHOOK_ENDPOINTS (see docs/webhooks.md)")
    dogs: list[Watchdog] = []
    port = settings.webhook_metrics_port
    counters = (metrics.WEBHOOK_DELIVERED, metrics.WEBHOOK_RETRIES, metrics.WEBHOOK_BURIED)
    metrics.show_from_zero(settings.webhook_endpoints, *counters)
    metrics.serve(settings.metrics_host, port, metrics.WEBHOOK, lambda: complaints(dogs))
    timeout = aiohttp.ClientTimeout(total=settings.webhook_timeout.total_seconds())
    try:
        async with (
            clients.producer(settings, DEAD_LETTERS.name) as producer,
            aiohttp.ClientSession(timeout=timeout, cookie_jar=aiohttp.DummyCookieJar()) as session,
            asyncio.TaskGroup() as group,
        ):
            await check_rights(settings, "webhook")
            for name in settings.webhook_endpoints:
                group.create_task(
                    _deliver(settings, name, session, DeadLetters(producer).put, dogs)
                )
    except* KafkaError as errors:
        raise WebhookFailed(f"Kafka has stopped answering: {errors.exceptions[0]}") from None


async def _deliver(
    settings: Settings,
    name: str,
    session: aiohttp.ClientSession,
    bury: Bury,
    dogs: list[Watchdog],
) -> None:
    endpoint, group = settings.webhook_endpoints[name], f"{settings.webhook_group}-{name}"
    wishes = Wishes(endpoint.kinds, endpoint.models, endpoint.sites)
    await _begin_now(settings, group)
    courier = _courier(name, endpoint, session, settings.webhook_attempts)
    async with clients.consumer(
        settings,
        *TOPICS,
        group_id=group,
        auto_offset_reset="earliest",
        max_poll_interval_ms=_LONGEST_ROUND_MS,
    ) as consumer:
        dog = Watchdog(
            settings,
            group=group,
            topics=TOPICS,
            owned=consumer.assignment,
            stalled=metrics.STALLED["webhook"],
        )
        dogs.append(dog)
        courier.excuse = dog.excuse
        with dog:
            await Deliveries(consumer, courier, bury, wishes, settings.kafka_prefix).run()


def _courier(
    name: str, endpoint: WebhookEndpoint, session: aiohttp.ClientSession, attempts: int
) -> Courier:
    return Courier(
        name,
        endpoint,
        session,
        attempts=attempts,
        clock=time.time,
        chance=SystemRandom(),
    )


async def _begin_now(settings: Settings, group: str) -> None:
    """Let a new group begin at the end of the topics: old carts are not news."""
    places = await ends(settings, TOPICS)
    async with clients.consumer(settings, group_id=group) as consumer:
        consumer.assign(list(places))
        new = {at: end for at, end in places.items() if await consumer.committed(at) is None}
        if new:
            await consumer.commit(new)
