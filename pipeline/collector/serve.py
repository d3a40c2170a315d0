"""The collector as a process: from its port to SIGTERM. Shell."""

import asyncio
import gc
import logging
import os
import signal
import socket
from datetime import UTC, datetime
from functools import partial
from typing import Any

import uvloop
from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings
from granian.log import LogLevels
from granian.server.embed import Server

from pipeline.collector import body
from pipeline.collector.endpoints import unknown_places
from pipeline.collector.mail_providers.receive import PROVIDERS
from pipeline.collector.server import Collector
from pipeline.settings import BadSettings, Settings
from pipeline.tracing.begin import begin
from schemas.errors import TouchstreamError

_log = logging.getLogger(__name__)

_CONNECTIONS = 4096

_OBJECTS_UNTIL_COLLECTION = 20_000
"""A request creates hundreds of objects and hardly any cycles; with Python's 700, the search for
cycles takes a sixth of its time (`python -m tests.bench.collector`)."""


class CollectorFailed(TouchstreamError):
    """The collector cannot start; the text says what to do."""


def serve(settings: Settings) -> None:
    """Run the collector until SIGTERM or SIGINT.

    Raises:
        CollectorFailed: it cannot start.
        BadSettings: there is no write key, a provider is unknown, or the database of countries
            cannot be read.
    """
    if not settings.write_keys:
        raise BadSettings(
            "the collector needs a write key for each site: `touchstream init` writes a file with "
            """one, or set TOUCHSTREAM_WRITE_KEYS='{"wk_any_text": "shop"}'"""
        )
    if unknown := unknown_places(settings):
        raise BadSettings(
            f"TOUCHSTREAM_PROVIDER_SECRETS: {', '.join(unknown)}: write provider/site, with one of "
            f"the providers {', '.join(PROVIDERS)}"
        )
    _hold_free(settings.collector_host, settings.collector_port)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve(settings))


async def _serve(settings: Settings) -> None:
    collector, app = _collector(settings)
    # In this process, not in granian's workers, which would survive a kill -9 of their supervisor.
    server = Server(
        app,
        address=settings.collector_host,
        port=settings.collector_port,
        interface=Interfaces.RSGI,
        http=HTTPModes.http1,
        websockets=False,
        backlog=_CONNECTIONS,
        http1_settings=HTTP1Settings(header_read_timeout=int(body.PATIENCE_SECONDS * 1000)),
        log_level=LogLevels.error,
    )
    for wish in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(wish, server.stop)
    asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, _reload, collector)
    gc.freeze()
    gc.set_threshold(_OBJECTS_UNTIL_COLLECTION)
    async with asyncio.TaskGroup() as group:
        connecting = group.create_task(collector.connect())
        await server.serve()
        connecting.cancel()
    await collector.close()


def _collector(settings: Settings) -> tuple[Collector, Any]:
    """Make the collector, and the application that answers: itself, or with traces around it."""
    clock = partial(datetime.now, UTC)
    traces = begin("collect", is_on=settings.tracing)
    if traces is None:
        collector = Collector(settings, clock)
        return collector, collector
    from pipeline.collector.traced import traced  # noqa: PLC0415 - OpenTelemetry may be missing

    return traced(settings, clock, traces)


def _reload(collector: Collector) -> None:
    """Use the write keys that the settings have now; if they are invalid, keep the old ones.

    The overflow topic is not added: the first key with a share needs a restart.
    """
    try:
        collector.change_keys(Settings().write_keys)
    except (ValueError, BadSettings) as error:
        _log.error(
            "the write keys stay as they are: %s", error, extra={"event": "write_keys_unchanged"}
        )


def _hold_free(host: str, port: int) -> None:
    """Refuse a port in use: granian would share it (SO_REUSEPORT), and calls would go astray."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        socket.create_server((host, port), family=family).close()
    except OSError as error:
        why = os.strerror(error.errno or 0)
        raise CollectorFailed(
            f"the collector cannot listen on {host}:{port} ({why}); choose another address with "
            "TOUCHSTREAM_COLLECTOR_HOST and TOUCHSTREAM_COLLECTOR_PORT"
        ) from None
