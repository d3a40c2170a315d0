"""`touchstream watch` as a process: judges what is due, stores and sends the result. Shell.

A minute is due when tracker and sink have processed it and the time for late touchpoints is over.
While they lag behind, nothing is judged: a stopped pipeline does not mean a drop in the shop.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from contextlib import aclosing
from datetime import UTC, datetime, timedelta

import aiohttp
from aiokafka.errors import KafkaError
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError

from pipeline import metrics
from pipeline.kafka.disks import free_disk
from pipeline.kafka.lag import committed_until, newest, partition_states
from pipeline.kafka.rights import check_rights
from pipeline.roles.watch.alerts import given_up
from pipeline.roles.watch.delivery.channels import Channels
from pipeline.roles.watch.minutes import minute_of, start_of
from pipeline.roles.watch.reader import Reader
from pipeline.roles.watch.rounds import SiteWatch
from pipeline.roles.watch.store import keep_alerts, keep_memory, open_alerts, read_memories
from pipeline.settings import Settings
from schemas.alert import Alert
from schemas.journeys import load_models
from schemas.times import milliseconds
from schemas.topics import RAW, TABLES
from schemas.watch import load_rules

_log = logging.getLogger(__name__)

Progress = Callable[[datetime], Awaitable[datetime]]
"""Takes the current time; returns the time before which everything received is in the tables."""


def _utc_now() -> datetime:
    return datetime.now(UTC)


async def watch(
    client: Client, settings: Settings, clock: Callable[[], datetime] = _utc_now
) -> None:
    """Judge every `watch_interval`, forever; while ClickHouse or Kafka is away, count the failures
    and continue.

    Raises:
        BadModel: `journey_models` cannot be used; the funnel of the first one is watched.
        BadWatchRules: the rules file cannot be used.
        Forbidden: the login lacks a right at Kafka.
    """
    steps = load_models(settings.journey_models)[0].funnel
    rounds = Rounds(client, settings, steps)
    metrics.serve(settings.metrics_host, settings.watch_metrics_port, metrics.WATCH)
    metrics.WATCH_LAST_SUCCESS.set(clock().timestamp())
    async with (
        aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as session,
        aclosing(Channels(settings, session)) as channels,
    ):
        while True:
            await one_round(rounds, channels, clock())
            await asyncio.sleep(settings.watch_interval.total_seconds())


async def one_round(rounds: "Rounds", channels: Channels, now: datetime) -> None:
    """Judge what is due at `now` and send the result; a failure is counted, not raised."""
    try:
        until = await rounds.progress(now)
        news = await asyncio.to_thread(rounds.judge, until)
        firing = await asyncio.to_thread(open_alerts, rounds.client)
    except (ClickHouseError, KafkaError, OSError, TimeoutError) as error:
        metrics.WATCH_FAILURES.inc()
        _log.warning(
            "nothing was judged, ClickHouse or Kafka failed: %s",
            error,
            extra={"event": "nothing_judged"},
        )
        return
    _show(firing)
    metrics.WATCH_BEHIND.set((now - rounds.judged_until(until)).total_seconds())
    metrics.WATCH_LAST_SUCCESS.set(now.timestamp())
    await channels.tell(news, firing)
    await asyncio.to_thread(rounds.remember)


class Rounds:
    """The sites, and their stored state."""

    def __init__(
        self,
        client: Client,
        settings: Settings,
        steps: Sequence[str],
        progress: Progress | None = None,
    ) -> None:
        self.client = client
        self._settings = settings
        self._steps = steps
        self._rules = load_rules(settings.watch_rules)
        self._reader = Reader(client, steps, self._rules)
        self._sites: dict[str, SiteWatch] = {}
        self._progress = progress or self._committed
        self._latest: datetime | None = None

    async def progress(self, now: datetime) -> datetime:
        """Return the time up to which minutes are due."""
        return await self._progress(now) - self._settings.watch_grace

    async def _committed(self, now: datetime) -> datetime:
        """Ask Kafka what the tracker has processed, then what the sink has processed."""
        settings = self._settings
        await check_rights(settings, "watch")
        await _show_kafka(settings)
        now = min(now, await self._time_in_the_log(now))
        tracked = await committed_until(settings, settings.tracker_group, [RAW.name], now)
        return await committed_until(settings, settings.sink_group, TABLES, tracked)

    async def _time_in_the_log(self, now: datetime) -> datetime:
        """Return the latest time that Kafka has seen; `now` if it has seen none.

        The tracker writes the time every few seconds. A watch whose own clock is fast would judge
        minutes that are not over, and miss people who are yet to come.
        """
        if latest := await newest(self._settings, [RAW.name]):
            self._latest = max(latest, self._latest or latest)
        return self._latest or now

    def judge(self, until: datetime) -> list[Alert]:
        """Judge all minutes of all sites that end before `until`; return new and changed alerts.

        What fails for one site keeps no other one waiting; it is tried again in the next round.

        Raises:
            ClickHouseError: a statement about all sites failed.
        """
        self._find_sites(until)
        news = self._given_up(until)
        for site in self._sites.values():
            news += self._judged(site, until)
        return list({alert.alert_id: alert for alert in news}.values())

    def judged_until(self, until: datetime) -> datetime:
        """Return the time up to which every site is judged; `until` at most."""
        return min([until, *(start_of(site.judged + 1) for site in self._sites.values())])

    def _judged(self, site: SiteWatch, until: datetime) -> list[Alert]:
        news: list[Alert] = []
        try:
            for _, alerts in site.until(minute_of(until)):
                keep_alerts(self.client, alerts)
                news += alerts
        except Exception:  # noqa: BLE001 - logged; other sites are waiting
            metrics.WATCH_FAILURES.inc()
            _log.exception(
                "site %s is not judged", site.site.name, extra={"event": "site_not_judged"}
            )
        _show_levels(site)
        return news

    def _given_up(self, until: datetime) -> list[Alert]:
        """End the open alerts that nobody judges any more; otherwise they would stay for ever."""
        ended = []
        for alert in open_alerts(self.client):
            site = self._sites.get(alert.site)
            if site is None:
                ended.append(given_up(alert, until))
            elif not site.is_judged(alert):
                ended.append(site.give_up(alert))
        keep_alerts(self.client, ended)
        return ended

    def remember(self) -> None:
        """Store what was judged.

        It comes last: after a crash the same alerts are sent again, instead of none.
        """
        for name, site in self._sites.items():
            keep_memory(self.client, name, site.judged, site.memories)

    def _find_sites(self, until: datetime) -> None:
        start = until - timedelta(days=self._rules.learn_days)
        found = self._reader.sites(milliseconds(start), milliseconds(until))
        remembered = read_memories(self.client) if {*self._sites} < {s.name for s in found} else {}
        for site in found:
            if site.name in self._sites:
                continue
            judged, memories = remembered.get(site.name, (minute_of(until) - 1, {}))
            self._sites[site.name] = SiteWatch(
                site,
                self._reader,
                self._rules,
                self._steps,
                link=self._settings.watch_link,
                memories=memories,
                judged=judged,
            )


async def _show_kafka(settings: Settings) -> None:
    """Show the state of Kafka itself in the metrics; a broker that is gone is not shown."""
    for state, number in (await partition_states(settings, (RAW.name, *TABLES))).items():
        metrics.WATCH_KAFKA.labels(state).set(number)
    metrics.WATCH_KAFKA_DISK.clear()
    for broker, free in (await free_disk(settings)).items():
        metrics.WATCH_KAFKA_DISK.labels(broker).set(free)


def _show(firing: Sequence[Alert]) -> None:
    """Show what fires in the metrics, and nothing that has ended."""
    metrics.WATCH_ALERTS.clear()
    for alert in firing:
        where = (alert.step, alert.next_step, alert.dimension, alert.value)
        metrics.WATCH_ALERTS.labels(alert.site, alert.kind, *where).set(1)


def _show_levels(site: SiteWatch) -> None:
    for question, memory in site.memories.items():
        counted, usual = (float(row[0]) for row in memory.evidence.recent)
        labels = (site.site.name, question.kind, question.step, question.next_step)
        if usual >= 1:
            metrics.WATCH_LEVEL.labels(*labels).set(counted / usual)
        else:
            metrics.WATCH_LEVEL.remove(*labels)
