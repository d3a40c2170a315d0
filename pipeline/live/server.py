"""The live page over HTTP: files, JSON, CSV and streams of changes. Shell: aiohttp on one side,
the questions of `pipeline.reports` on the other. It only reads.
"""

import asyncio
import logging
import os
import re
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from importlib.metadata import version
from math import inf
from time import monotonic
from typing import Any
from urllib.parse import urlencode

from aiohttp import web
from aiohttp.typedefs import Handler
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError

from pipeline.live.address import Address, BadAddress, read_address
from pipeline.live.answers import HEADERS, Denied, as_csv
from pipeline.live.hub import PULSE, Asker, Hub, TooManyViews, Watcher
from pipeline.live.openapi import document
from pipeline.live.page.files import Files
from pipeline.live.panels import PANELS
from pipeline.live.requests import Sent, judged, line_by_line, read_requests, times_in
from pipeline.live.site import read_site
from pipeline.reports.live.feed import read_became
from pipeline.reports.live.people import (
    ANY_CURRENCY,
    Behind,
    Somebody,
    UnknownQuestion,
    read_people,
)
from pipeline.reports.live.person import Linked, Seen, read_person
from pipeline.reports.live.pulse import read_sites
from pipeline.reports.span import as_json
from pipeline.settings import Settings
from pipeline.signed.passes import Pass, admitted
from schemas.errors import TouchstreamError
from schemas.journeys import load_models

_log = logging.getLogger(__name__)

_HEARTBEAT_SECONDS = 15.0
_BRIEF_SECONDS = 1.0
_PATIENCE_SECONDS = 60.0
_SITES_SECONDS = 10.0
_TOKEN = "token"  # noqa: S105 - the name of a parameter
_JSON = "application/json"
_NO_FILE_NAME = re.compile(r"[^\w.-]+", re.ASCII)
_HOW_TO_ENTER = (
    "this link opens nothing, or no more: ask whoever sent it for a new one, or run "
    "`touchstream live --link`"
)


def _utc_now() -> datetime:
    return datetime.now(UTC)


class LiveFailed(TouchstreamError):
    """The live page cannot start; the text says what to do."""


class Live:
    """The application: what it needs, and one method for each path."""

    def __init__(
        self, client: Client, settings: Settings, clock: Callable[[], datetime] = _utc_now
    ) -> None:
        self._settings = settings
        self._keys = [key.get_secret_value() for key in settings.live_keys]
        self._clock = clock
        self._models = {model.id: model for model in load_models(settings.journey_models)}
        self._files = Files()
        self._streams = 0
        self.patience = _PATIENCE_SECONDS
        self._sites_asked: tuple[asyncio.Task[list[str]] | None, float] = None, 0.0
        self.asker = Asker(client, clock)
        self.hub = Hub(self.asker, PANELS.values())
        collector = settings.public_url
        self._headers = {
            name: text.replace("{collector}", f" {collector}") for name, text in HEADERS.items()
        }

    def application(self) -> web.Application:
        """Build the application for a server."""
        application = web.Application(middlewares=[self._guarded])
        application.router.add_routes(
            [
                web.get("/", self._page),
                web.get("/{name:page\\.js|page\\.css|icon\\.svg}", self._file),
                web.get("/healthz/ready", self._ready),
                web.get("/openapi.json", self._openapi),
                web.get("/api/site", self._site),
                web.get("/api/stream", self._stream),
                web.get("/api/people", self._people),
                web.get("/api/people.csv", self._people),
                web.get("/api/person", self._person),
                web.get("/api/person.csv", self._person),
                web.get("/api/links.csv", self._links),
                web.get("/api/requests", self._requests),
                web.get("/api/requests.csv", self._requests),
                web.get("/api/{panel}.csv", self._panel),
                web.get("/api/{panel}", self._panel),
            ]
        )
        application.cleanup_ctx.append(self._closing)
        return application

    async def _closing(self, _application: web.Application) -> AsyncIterator[None]:
        yield
        await self.hub.close()
        self.asker.close()

    @web.middleware
    async def _guarded(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Answer with the common headers; answer a refusal in JSON."""
        try:
            answer = await handler(request)
        except Denied as denied:
            body = as_json({"error": denied.code, "detail": denied.detail})
            answer = web.Response(status=denied.status, body=body, content_type=_JSON)
        except web.HTTPException as error:
            answer = web.Response(status=error.status, text=error.reason)
        if not answer.prepared:
            for name, text in self._headers.items():
                answer.headers.setdefault(name, text)
        return answer

    # --- the page ---------------------------------------------------------------------------------

    async def _page(self, request: web.Request) -> web.StreamResponse:
        """Serve the page; a token in the address moves from there into a cookie."""
        token = request.query.get(_TOKEN)
        if token is None:
            return self._files.answer("index.html", request)
        rest = urlencode([(name, value) for name, value in request.query.items() if name != _TOKEN])
        answer = web.Response(status=303, headers={"Location": f"/?{rest}" if rest else "/"})
        granted = admitted(token, self._keys, self._clock())
        if granted:
            answer.set_cookie(
                _cookie(request),
                token,
                max_age=int(self._left(granted)),
                httponly=True,
                samesite="Strict",
                secure=self._settings.live_address.startswith("https:"),
            )
        return answer

    async def _file(self, request: web.Request) -> web.StreamResponse:
        return self._files.answer(request.match_info["name"], request)

    async def _ready(self, _request: web.Request) -> web.StreamResponse:
        return web.json_response({"status": "ready"})

    async def _openapi(self, _request: web.Request) -> web.StreamResponse:
        return web.Response(
            body=as_json(document(list(PANELS.values()), version("touchstream"))),
            content_type=_JSON,
        )

    # --- the API ----------------------------------------------------------------------------------

    async def _site(self, request: web.Request) -> web.StreamResponse:
        granted = self._pass(request)
        sites = await self._sites(granted)
        address = await self._address(request, granted)
        view = address.at(self._clock())
        models = list(self._models.values())
        return _json(await self._ask(read_site, view, self._settings, models, sites))

    async def _panel(self, request: web.Request) -> web.StreamResponse:
        panel = PANELS.get(request.match_info["panel"])
        if panel is None:
            raise Denied(404, "not_found", f"no such question, but {', '.join(PANELS)}")
        address = await self._address(request, self._pass(request))
        now = self._clock()
        rows = await self._ask(panel.read, address.at(now), self._steps(address))
        if request.path.endswith(".csv"):
            return _csv(panel.name, address, as_csv(panel.row, rows))
        return _json({"now": now, "rows": rows})

    async def _people(self, request: web.Request) -> web.StreamResponse:
        address = await self._address(request, self._pass(request))
        said = {name: request.query.get(name, "")[:200] for name in ("of", "what", "where")}
        said["currency"] = request.query.get("currency", ANY_CURRENCY)[:200]
        found = await self._ask(read_people, address.at(self._clock()), Behind(**said))
        if request.path.endswith(".csv"):
            return _csv("people", address, as_csv(Somebody, found.people))
        return _json(found)

    async def _person(self, request: web.Request) -> web.StreamResponse:
        address = await self._address(request, self._pass(request))
        found = await self._ask(read_person, address.at(self._clock()), _person_of(request))
        if request.path.endswith(".csv"):
            return _csv("person", address, as_csv(Seen, found.touchpoints))
        return _json(found)

    async def _links(self, request: web.Request) -> web.StreamResponse:
        address = await self._address(request, self._pass(request))
        found = await self._ask(read_person, address.at(self._clock()), _person_of(request))
        return _csv("links", address, as_csv(Linked, found.links))

    async def _requests(self, request: web.Request) -> web.StreamResponse:
        granted = self._pass(request)
        address = await self._address(request, granted)
        seen = await read_requests(self._settings, address.site, granted, self._clock)
        became = await self._ask(read_became, address.at(self._clock()), times_in(seen))
        found = judged(seen, became)
        if request.path.endswith(".csv"):
            return _csv("requests", address, as_csv(Sent, line_by_line(found)))
        return _json(found.model_dump())

    async def _stream(self, request: web.Request) -> web.StreamResponse:
        """Send changes as server-sent events until the page leaves or the pass ends.

        A brief one ends after a second: windows that share few connections take turns.
        """
        granted = self._pass(request)
        address = await self._address(request, granted)
        if self._streams >= self._settings.live_streams:
            raise Denied(503, "too_many", "too many pages are open; try again later")
        headers = self._headers | {"X-Accel-Buffering": "no"}
        answer = web.StreamResponse(headers=headers)
        answer.content_type = "text/event-stream"
        panels = _panels(request.query.get("only", ""))
        ends = monotonic() + _BRIEF_SECONDS if "brief" in request.query else inf
        async with self._counted(), self._watching(address, panels) as watcher:
            await answer.prepare(request)
            with suppress(ConnectionError):
                while (
                    left := min(self._left(granted), ends - monotonic())
                ) > 0 and not watcher.is_over:
                    news = await watcher.news(min(_HEARTBEAT_SECONDS, left))
                    await self._write(request, answer, news or b": still here\n\n")
        return answer

    async def _write(self, request: web.Request, answer: web.StreamResponse, text: bytes) -> None:
        """Send a part of a stream; leave a reader that takes nothing: its place is for others."""
        try:
            await asyncio.wait_for(answer.write(text), self.patience)
        except TimeoutError:
            if request.transport:
                request.transport.abort()
            raise ConnectionError("the page takes nothing") from None

    @asynccontextmanager
    async def _counted(self) -> AsyncIterator[None]:
        self._streams += 1
        try:
            yield
        finally:
            self._streams -= 1

    @asynccontextmanager
    async def _watching(self, address: Address, panels: Collection[str]) -> AsyncIterator[Watcher]:
        try:
            async with self.hub.watching(address, panels, self._steps(address)) as watcher:
                yield watcher
        except TooManyViews as error:
            raise Denied(503, "too_many", "too many different views are open") from error

    def _left(self, granted: Pass) -> float:
        return granted.expires - self._clock().timestamp()

    # --- who may see what -------------------------------------------------------------------------

    def _pass(self, request: web.Request) -> Pass:
        """Return the pass of a request, from its cookie or its Authorization header."""
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            token = request.cookies.get(_cookie(request), "")
        granted = admitted(token, self._keys, self._clock())
        if granted is None:
            raise Denied(401, "no_pass", _HOW_TO_ENTER)
        return granted

    async def _address(self, request: web.Request, granted: Pass) -> Address:
        """Read the address of a request; the pass must cover it."""
        site = request.query.get("site") or await self._first_site(granted)
        try:
            address = read_address(request.query, site, self._models)
        except BadAddress as error:
            raise Denied(400, "bad_address", str(error)) from error
        if not granted.covers(address.site):
            covered = ", ".join(granted.sites)
            raise Denied(403, "other_site", covered)
        return address

    async def _first_site(self, granted: Pass) -> str:
        """Return the site of an address that names none: one with data, if there is any."""
        sites = await self._sites(granted)
        found = await self._found_sites() if len(sites) > 1 else []
        return next((site for site in sites if site in found), sites[0] if sites else "")

    async def _sites(self, granted: Pass) -> list[str]:
        if granted.sites:
            return list(granted.sites)
        named = {key.site for key in self._settings.write_keys.values()}
        return sorted(named | set(await self._found_sites()))

    async def _found_sites(self) -> list[str]:
        """List the sites in the tables; all requests within some seconds share one answer."""
        asked, at = self._sites_asked
        if asked is None or (asked.done() and monotonic() - at > _SITES_SECONDS):
            asked = asyncio.create_task(self._ask(read_sites))
            self._sites_asked = asked, monotonic()
        return await asyncio.shield(asked)

    def _steps(self, address: Address) -> tuple[str, ...]:
        return self._models[address.model].funnel

    async def _ask(self, question: Callable[..., Any], *arguments: Any) -> Any:
        try:
            return await self.asker.ask(question, *arguments)
        except UnknownQuestion as error:
            raise Denied(400, "bad_address", str(error)) from error
        except (ClickHouseError, TouchstreamError, OSError) as error:
            _log.warning("not answered: %s", str(error)[:300], extra={"event": "live_not_answered"})
            raise Denied(503, "unavailable", "ClickHouse does not answer this now") from error


def _panels(only: str) -> Collection[str]:
    """Read which panels a stream is to tell of, with commas between them; empty: all of them."""
    if not only:
        return PANELS.keys()
    named = only.split(",")
    if unknown := sorted(set(named) - PANELS.keys() - {PULSE}):
        raise Denied(404, "not_found", f"no panel {unknown[0][:50]!r}, but {', '.join(PANELS)}")
    return named


def _person_of(request: web.Request) -> str:
    return request.query.get("person", "")[:200]


def _cookie(request: web.Request) -> str:
    """Name the cookie: browsers do not tell ports apart, and several may run on one machine."""
    _, _, port = request.host.rpartition(":")
    return f"touchstream-{port if port.isdigit() else 'live'}"


def _json(answer: object) -> web.Response:
    return web.Response(body=as_json(answer), content_type=_JSON)


def _csv(name: str, address: Address, text: str) -> web.Response:
    site = _NO_FILE_NAME.sub("-", address.site)
    disposition = f'attachment; filename="{site}-{name}.csv"'
    return web.Response(
        text=text, content_type="text/csv", headers={"Content-Disposition": disposition}
    )


async def serve(client: Client, settings: Settings) -> None:
    """Answer until cancelled.

    Raises:
        LiveFailed: the address cannot be used; the text says what to do.
    """
    runner = web.AppRunner(
        Live(client, settings).application(), access_log=None, shutdown_timeout=1
    )
    try:
        await runner.setup()
        await _listen(runner, settings.live_host, settings.live_port)
        await asyncio.Event().wait()
    finally:
        await runner.cleanup()


async def _listen(runner: web.AppRunner, host: str, port: int) -> None:
    try:
        await web.TCPSite(runner, host, port, backlog=2048).start()
    except OSError as error:
        why = os.strerror(error.errno or 0)
        raise LiveFailed(
            f"the live page cannot listen on {host}:{port} ({why}); choose another address with "
            "TOUCHSTREAM_LIVE_HOST and TOUCHSTREAM_LIVE_PORT"
        ) from None
