"""Everything besides tracking calls: newsletter links, webhooks, servers' calls. Shell.

Each endpoint decides by itself what a request means. This module has what they share: the body
within its limits, and Kafka's acknowledgement before a 2xx.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping
from datetime import datetime
from urllib.parse import parse_qsl

from granian.rsgi import HTTPProtocol, Scope  # type: ignore[attr-defined]  # as in server.py
from pydantic import SecretStr

from pipeline.collector import body
from pipeline.collector.answers import ACCEPTED, Answer, Problem, TurnedAway, outcome
from pipeline.collector.arrival import Arrival
from pipeline.collector.collect import Collected, collect
from pipeline.collector.countries import Countries
from pipeline.collector.intake import Intake
from pipeline.collector.limits.gate import Gate, key_name
from pipeline.collector.limits.guard import Caller, Guard
from pipeline.collector.limits.keys import KeyLimits
from pipeline.collector.mail_providers.delivery import Delivery
from pipeline.collector.mail_providers.receive import PROVIDERS, Webhooks
from pipeline.collector.newsletter.follow import Newsletter
from pipeline.collector.newsletter.links import PATH as LINKS
from pipeline.collector.recent import MINUTES, Asker, Recent
from pipeline.collector.request import Request, credentials
from pipeline.collector.server_api import ServerApi
from pipeline.collector.vocabularies import segment
from pipeline.kafka.producer import NotAcknowledged
from pipeline.metrics import COLLECTOR_CLICKS_LOST
from pipeline.privacy.addresses import truncated_ip
from pipeline.privacy.masking import Masks
from pipeline.privacy.pseudonyms import Pseudonyms
from pipeline.settings import Settings
from pipeline.signed.passes import Pass, admitted
from schemas.codec import encode

_log = logging.getLogger(__name__)

_CLICK_SECONDS = 0.5
"""How long somebody who has clicked waits for Kafka at most."""

_WEBHOOKS = "/v1/webhooks/"
_SERVERS = "/v1/server/"
DEBUG = "/v1/debug"

Keep = Callable[[Collected], Awaitable[None]]
"""Writes the collected records; NotAcknowledged if Kafka did not acknowledge them."""

Endpoint = Callable[[str, Scope, HTTPProtocol], Awaitable[Answer]]
"""Answers a request; it gets the rest of the path after its own."""


class Endpoints:
    """The endpoints of `settings`."""

    def __init__(
        self,
        settings: Settings,
        clock: Callable[[], datetime],
        *,
        gate: Gate,
        intake: Intake,
        masks: Masks,
        keep: Keep,
        guard: Guard,
        key_limits: KeyLimits,
        countries: Countries,
        recent: Recent,
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._gate = gate
        self._intake = intake
        self._keep = keep
        self._guard = guard
        self._key_limits = key_limits
        self._countries = countries
        self._recent = recent
        self._clicks: set[asyncio.Task[None]] = set()
        self._masks = masks
        pseudonyms = Pseudonyms(settings.site_salt.get_secret_value())
        self._newsletter = Newsletter(_told(settings.link_keys), pseudonyms, settings.site_hosts)
        self._webhooks = _webhooks(settings, pseudonyms, masks)
        self._live_keys = _told(settings.live_keys)
        self._servers = ServerApi(_all_told(settings.server_secrets), pseudonyms)
        self._endpoints: dict[str, Endpoint] = {
            LINKS: self._follow,
            _WEBHOOKS: self._receive,
            _SERVERS: self._serve,
            DEBUG: self._show_recent,
        }

    async def answer(self, scope: Scope, protocol: HTTPProtocol, caller: Caller) -> Answer | None:
        """Answer a request to one of them; None if its path belongs to none of them.

        Links are open to everybody who follows them, even from a network that floods.

        Raises:
            TurnedAway: the request is refused.
            NotAcknowledged: Kafka did not acknowledge it.
        """
        for path, endpoint in self._endpoints.items():
            if scope.path.startswith(path):
                rest = scope.path[len(path) :]
                if scope.method != "POST":
                    return await endpoint(rest, scope, protocol)
                self._guard.enter(caller)
                try:
                    return await endpoint(rest, scope, protocol)
                finally:
                    self._guard.leave(caller)
        return None

    # --- newsletter links -------------------------------------------------------------------------

    async def _follow(self, token: str, scope: Scope, protocol: HTTPProtocol) -> Answer:
        content = await self._received(scope, protocol) if scope.method == "POST" else b""
        client = self._guard.caller(scope).client
        ip, country = truncated_ip(client), self._countries.of(client)
        arrival = Arrival("", self._clock(), ip=ip, country=country, path=LINKS)
        followed = self._newsletter.follow(scope.method, token, scope.headers, arrival, content)
        if followed.touchpoint is None:
            return followed.answer
        collected = Collected(arrival, masks=self._masks)
        collected.keep(followed.touchpoint)
        await (self._keep_click(collected) if followed.must_answer else self._keep(collected))
        return followed.answer

    async def _keep_click(self, collected: Collected) -> None:
        """Write, but wait for Kafka no longer than a person does for a page."""
        keeping = asyncio.create_task(self._keep_or_count(collected))
        self._clicks.add(keeping)
        keeping.add_done_callback(self._clicks.discard)
        await asyncio.wait([keeping], timeout=_CLICK_SECONDS)

    async def _keep_or_count(self, collected: Collected) -> None:
        try:
            await self._keep(collected)
        except NotAcknowledged as error:
            COLLECTOR_CLICKS_LOST.labels(collected.arrival.site).inc()
            _log.warning(
                "a click in a newsletter is lost: %s", error, extra={"event": "click_lost"}
            )

    # --- providers' webhooks ----------------------------------------------------------------------

    async def _receive(self, place: str, scope: Scope, protocol: HTTPProtocol) -> Answer:
        self._webhooks.secrets_of(place)
        if scope.method in {"GET", "HEAD"}:  # Mailchimp and Mandrill look whether somebody is there
            return ACCEPTED
        arrival = Arrival(place.partition("/")[2], self._clock(), path=scope.path)
        delivery = Delivery(
            url=self._settings.public_url + _with_query(scope),
            query=scope.query_string,
            headers=scope.headers,
            body=await self._received(scope, protocol),
            now=arrival.received_at,
        )
        await self._keep(self._webhooks.receive(place, delivery, arrival))
        return ACCEPTED

    # --- servers' calls ---------------------------------------------------------------------------

    async def _serve(self, rest: str, scope: Scope, protocol: HTTPProtocol) -> Answer:
        if (scope.method, rest) != ("POST", "batch"):
            raise TurnedAway(Problem.NOT_FOUND, f"there is POST on {_SERVERS}batch")
        limit = self._settings.collector_max_body
        packed = await body.as_sent(protocol, scope.headers, limit)
        payload = body.unpacked(packed, scope.headers.get("content-encoding"), limit)
        request = Request(authorization=scope.headers.get("authorization"), body=payload)
        now = self._clock()
        sender = self._gate.sender(
            key_name(request, segment.write_key), scope.headers.get("origin"), now
        )
        site = sender.key.site
        arrival = Arrival(site, now, path=scope.path)
        self._servers.authenticate(site, scope.headers, packed, now)
        self._key_limits.admit(sender, now)
        named = Request(body=self._servers.named(payload, site))
        longest = self._settings.collector_max_batch
        collected = collect(named, segment.BATCH, arrival, self._intake, longest, self._masks)
        self._key_limits.choose(sender, collected)
        await self._keep(collected)
        self._key_limits.count(sender, collected)
        return outcome(collected.is_batch, collected.accepted, collected.refused, ACCEPTED)

    # --- what arrived in the last minutes ---------------------------------------------------------

    async def _show_recent(self, rest: str, scope: Scope, _protocol: HTTPProtocol) -> Answer:
        if rest or scope.method != "GET":
            raise TurnedAway(Problem.NOT_FOUND, f"there is GET on {DEBUG}")
        asker = self._asker(scope)
        requests = self._recent.of(asker, self._clock())
        return Answer(200, encode({"site": asker.site, "minutes": MINUTES, "requests": requests}))

    def _asker(self, scope: Scope) -> Asker:
        """Identify the caller, by a server secret of a site or by a pass of the live page."""
        said = scope.headers.get("authorization") or ""
        site, secret = credentials(said) or ("", "")
        granted = self._pass(said)
        if granted:
            site = dict(parse_qsl(scope.query_string)).get("site", "")
        if not (granted.covers(site) if granted else self._servers.knows(site, secret)):
            raise TurnedAway(
                Problem.BAD_SIGNATURE,
                "the user name is a site, the password one of its TOUCHSTREAM_SERVER_SECRETS; or "
                "there is a pass of the live page (Bearer) that covers ?site=",
            )
        hosts = self._settings.site_hosts.get(site, ())
        origins = self._gate.origins_of(site) | {f"https://{host}" for host in hosts}
        if granted:
            return Asker(site, origins, sees_all=not granted.sites)
        return Asker(site, origins, truncated_ip(self._guard.caller(scope).client))

    def _pass(self, authorization: str) -> Pass | None:
        scheme, _, token = authorization.partition(" ")
        return admitted(token, self._live_keys, self._clock()) if scheme == "Bearer" else None

    async def _received(self, scope: Scope, protocol: HTTPProtocol) -> bytes:
        return await body.received(protocol, scope.headers, self._settings.collector_max_body)


def _webhooks(settings: Settings, pseudonyms: Pseudonyms, masks: Masks) -> Webhooks:
    return Webhooks(
        _all_told(settings.provider_secrets),
        pseudonyms,
        settings.collector_max_event,
        settings.collector_max_batch,
        masks,
        settings.placeholders,
    )


def unknown_places(settings: Settings) -> list[str]:
    """Name the webhooks in the settings that no provider is known for."""
    return [place for place in settings.provider_secrets if not _is_known(place)]


def _is_known(place: str) -> bool:
    provider, _, site = place.partition("/")
    return provider in PROVIDERS and site != ""


def _with_query(scope: Scope) -> str:
    return f"{scope.path}?{scope.query_string}" if scope.query_string else scope.path


def _all_told(secrets: Mapping[str, Iterable[SecretStr]]) -> dict[str, list[str]]:
    return {name: _told(each) for name, each in secrets.items()}


def _told(secrets: Iterable[SecretStr]) -> list[str]:
    return [secret.get_secret_value() for secret in secrets]
