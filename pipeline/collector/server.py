"""The collector: what SDKs send over HTTP, and success only after Kafka's acknowledgement.

Shell: granian's RSGI on one side, `Batches` on the other. `routes` decides which path speaks which
vocabulary, `intake` what a call means, `answers` what the sender is told. `serve` runs it.
"""

import asyncio
import logging
import secrets
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import datetime
from functools import cache, partial
from importlib.metadata import version

from aiokafka.errors import KafkaError
from granian.rsgi import (  # type: ignore[attr-defined]  # granian exports them without saying so
    HTTPProtocol,
    ProtocolClosed,
    Scope,
)
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from pipeline.collector import body
from pipeline.collector.answers import (
    STATUSES,
    TOO_MANY,
    Answer,
    Headers,
    Problem,
    TurnedAway,
    refusal,
)
from pipeline.collector.arrival import Arrival, browser, is_of_a_page
from pipeline.collector.batches import Batches
from pipeline.collector.beacon.script import Script
from pipeline.collector.collect import Collected, collect
from pipeline.collector.connections import has_ended
from pipeline.collector.cookieless import DailyVisitors
from pipeline.collector.countries import Countries
from pipeline.collector.endpoints import Endpoints
from pipeline.collector.intake import Intake, Limits
from pipeline.collector.limits.gate import Gate, Sender, key_name, preflight
from pipeline.collector.limits.guard import Caller, Guard, Rates
from pipeline.collector.limits.keys import KeyLimits
from pipeline.collector.names import Names
from pipeline.collector.newsletter.links import PATH as LINKS
from pipeline.collector.openapi.document import document
from pipeline.collector.openapi.operations import OPERATIONS
from pipeline.collector.recent import Recent
from pipeline.collector.repeats import Peer, Repeats, peer_of
from pipeline.collector.request import Request, user_name
from pipeline.collector.vocabularies import segment
from pipeline.collector.vocabularies.routes import is_known, set_up, vocabulary_of
from pipeline.collector.vocabularies.vocabulary import Vocabulary
from pipeline.kafka.producer import KafkaProducer, NotAcknowledged
from pipeline.kafka.rights import check_rights
from pipeline.kafka.unreachable import Forbidden
from pipeline.metrics import (
    COLLECTOR,
    COLLECTOR_ACCEPTED,
    COLLECTOR_PENDING,
    COLLECTOR_READY,
    COLLECTOR_REFUSED,
    COLLECTOR_REQUESTS,
    show_from_zero,
)
from pipeline.privacy.addresses import truncated_ip
from pipeline.privacy.masking import Masks
from pipeline.settings import Settings
from schemas.codec import encode
from schemas.dead_letter import Reason
from schemas.topics import DEAD_LETTERS, RAW
from schemas.write_key import WriteKey

_log = logging.getLogger(__name__)

_ASKED_HEADERS = "access-control-request-headers"


def openapi() -> bytes:
    """Write the OpenAPI document of this version as JSON."""
    return encode(document(OPERATIONS, version("touchstream")))


# Finding the counter of a label costs more than counting.
_accepted = cache(COLLECTOR_ACCEPTED.labels)
_refused = cache(COLLECTOR_REFUSED.labels)
_answered = cache(COLLECTOR_REQUESTS.labels)


class Collector:
    """The RSGI application."""

    def __init__(
        self,
        settings: Settings,
        clock: Callable[[], datetime],
        batches: Callable[..., Batches] = Batches,
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._gate = Gate(settings.write_keys, settings.collector_origins)
        show_from_zero([*Problem, *Reason], COLLECTOR_REFUSED)
        self._guard = Guard(_rates(settings), self._gate, settings.collector_trusted_proxies)
        self._script = Script(settings.collector_beacon_endpoint)
        self._daily_visitors = DailyVisitors(partial(secrets.token_bytes, 32))
        self._masks = Masks(settings.property_rules)
        self._producer = KafkaProducer(settings)
        self._openapi = Answer(200, openapi())
        self._is_connected = False
        self._batches = batches(
            self._producer,
            wait=settings.collector_batch_wait,
            ack_timeout=settings.collector_ack_timeout,
            max_pending=settings.collector_max_pending,
        )
        self._intake = _intake(settings)
        self._key_limits = KeyLimits(settings)
        self._repeats = Repeats()
        self._recent = Recent(settings.allowed_lateness)
        self._countries = Countries(settings.country_database)
        self._endpoints = Endpoints(
            settings,
            clock,
            gate=self._gate,
            intake=self._intake,
            masks=self._masks,
            keep=self._keep,
            guard=self._guard,
            key_limits=self._key_limits,
            countries=self._countries,
            recent=self._recent,
        )

    def change_keys(self, keys: Mapping[str, WriteKey]) -> None:
        """Accept these write keys from now on, and no others."""
        self._gate.keys = keys

    async def connect(self) -> None:
        """Connect to Kafka, however long it takes; until then every call gets 503."""
        while not self._is_connected:
            try:
                await self._producer.start([RAW.name, DEAD_LETTERS.name, *self._key_limits.topics])
                await check_rights(self._settings, "collect")
                self._is_connected = True
            except (NotAcknowledged, Forbidden, KafkaError) as error:
                _log.warning("not ready: %s", error, extra={"event": "collector_not_ready"})
                await self._producer.stop()
                await asyncio.sleep(1)

    async def close(self) -> None:
        """Send what is left and disconnect, in the time that Kafka has for an acknowledgement."""
        with suppress(TimeoutError):
            async with asyncio.timeout(self._settings.collector_ack_timeout.total_seconds()):
                await self._batches.drain()
                await self._producer.stop()

    @property
    def is_ready(self) -> bool:
        """Whether calls can be accepted."""
        return self._is_connected and not self._batches.is_failing

    async def __rsgi__(self, scope: Scope, protocol: HTTPProtocol) -> None:
        """Answer one request."""
        caller = self._guard.caller(scope)
        peer = peer_of(caller.client, scope.client, scope.http_version, scope.headers, scope.method)
        self._repeats.begin(peer, self._clock())
        try:
            await self._reply(scope, protocol, caller, peer)
        except ProtocolClosed:
            pass  # the sender is gone: there is nobody to answer
        finally:
            self._repeats.end(peer, self._clock())

    async def _reply(
        self, scope: Scope, protocol: HTTPProtocol, caller: Caller, peer: Peer
    ) -> None:
        vocabulary = self._vocabulary(scope)
        answer = await self._answer(vocabulary, scope, protocol, caller, peer)
        if vocabulary:
            answer = vocabulary.wording(answer, scope.query_string)
        _answered(answer.status).inc()
        protocol.response_bytes(answer.status, answer.headers, answer.body)

    async def _answer(
        self,
        vocabulary: Vocabulary | None,
        scope: Scope,
        protocol: HTTPProtocol,
        caller: Caller,
        peer: Peer,
    ) -> Answer:
        """Give the answer or the refusal, with the headers that let a page read it."""
        allowed: Headers = []
        try:
            if not self._is_open_to_all(scope.path):
                allowed = self._gate.allow(scope.headers.get("origin"))
            if vocabulary:
                self._guard.enter(caller)
                try:
                    answer = await self._accept(vocabulary, scope, protocol, caller, peer)
                finally:
                    self._guard.leave(caller)
                return answer.with_headers(allowed)
            found = self._told(scope) or await self._endpoints.answer(scope, protocol, caller)
            return (found or self._of_an_sdk(scope)).with_headers(allowed)
        except TurnedAway as why:
            _refused(why.code).inc()
            self._note(why, scope, caller)
            more = await self._cost(why, scope, caller)
            return refusal(why.code, why.detail, why.retry_after).with_headers(allowed + more)
        except NotAcknowledged:
            detail = "Kafka has not acknowledged it; send it again, with the same id"
            if not self._is_connected:  # nobody has looked into it
                self._note(TurnedAway(Problem.UNAVAILABLE, detail), scope, caller)
            return refusal(Problem.UNAVAILABLE, detail).with_headers(allowed)

    def _note(self, why: TurnedAway, scope: Scope, caller: Caller) -> None:
        network, origin = truncated_ip(caller.client), scope.headers.get("origin")
        self._recent.note_turned_away(why, self._clock(), scope.path, network, origin)

    async def _cost(self, why: TurnedAway, scope: Scope, caller: Caller) -> Headers:
        """Charge a refusal to its caller; give headers for the answer.

        A request for a missing path costs nothing: SDKs look for parts that we do not have, and
        many pages share an address.
        """
        if why.code is Problem.NOT_FOUND and scope.method != "POST":
            return []
        if STATUSES[why.code] == TOO_MANY:
            return await self._guard.put_off()
        return await self._guard.refuse(caller)

    def _is_open_to_all(self, path: str) -> bool:
        """A mail is not a page, and its links are signed; the beacon sets its own headers."""
        return path.startswith(LINKS) or path == self._settings.collector_beacon_path

    def _vocabulary(self, scope: Scope) -> Vocabulary | None:
        if scope.path == self._settings.collector_beacon_endpoint and scope.method == "POST":
            return segment.BATCH
        return vocabulary_of(scope.method, scope.path)

    def _told(self, scope: Scope) -> Answer | None:
        """Answer a question of our own: nothing of it is kept."""
        # The answer to a HEAD has no body: the server leaves it out.
        match scope.method.replace("HEAD", "GET"), scope.path:
            case "GET", "/healthz/live":
                return Answer(200, b'{"status":"live"}')
            case "GET", "/healthz/ready":
                return self._readiness()
            case "GET", "/metrics":
                return self._metrics()
            case "GET", "/openapi.json":
                return self._openapi
            case "GET", path if path == self._settings.collector_beacon_path:
                asked = scope.headers.get("if-none-match"), scope.headers.get("accept-encoding")
                return self._script.answer(*asked)
        return None

    def _of_an_sdk(self, scope: Scope) -> Answer:
        is_ours = scope.path == self._settings.collector_beacon_endpoint
        if scope.method == "OPTIONS" and (is_ours or is_known(scope.path)):
            return Answer(204, headers=preflight(scope.headers.get(_ASKED_HEADERS)))
        host = scope.authority or scope.headers.get("host") or ""
        if answer := set_up(scope.path, host):
            return answer
        raise TurnedAway(Problem.NOT_FOUND, "docs/sdks.md lists the paths that each SDK sends to")

    def _readiness(self) -> Answer:
        if self.is_ready:
            return Answer(200, b'{"status":"ready"}')
        return refusal(Problem.UNAVAILABLE, "no connection to Kafka, or no acknowledgement from it")

    def _metrics(self) -> Answer:
        COLLECTOR_READY.set(self.is_ready)
        COLLECTOR_PENDING.set(self._batches.pending)
        return Answer(200, generate_latest(COLLECTOR), [("content-type", CONTENT_TYPE_LATEST)])

    async def _accept(
        self,
        vocabulary: Vocabulary,
        scope: Scope,
        protocol: HTTPProtocol,
        caller: Caller,
        peer: Peer,
    ) -> Answer:
        """Handle a request, from its bytes to Kafka's acknowledgement."""
        if not self._is_connected:  # before the body is read
            raise NotAcknowledged
        authorization = scope.headers.get("authorization")
        sender = None
        name = user_name(authorization) if vocabulary.key is segment.write_key else None
        if name:  # it tells without the body
            sender = self._sender(name, scope)
        limit, is_get = self._settings.collector_max_body, scope.method == "GET"
        packed = b"" if is_get else await body.as_sent(protocol, scope.headers, limit)
        request = Request(
            query=scope.query_string,
            body=packed and body.unpacked(packed, scope.headers.get("content-encoding"), limit),
            authorization=authorization,
            headers=scope.headers,
            received_at=self._clock(),
        )
        sender = sender or self._sender(key_name(request, vocabulary.key), scope)
        arrival = self._arrival(scope, sender.key, vocabulary, caller)
        ended = partial(has_ended, scope.server, scope.client)
        arrival.recall = partial(self._repeats.first_at, peer, ended)
        self._key_limits.admit(sender, arrival.received_at)
        longest = self._settings.collector_max_batch
        collected = collect(request, vocabulary, arrival, self._intake, longest, self._masks)
        self._guard.charge(caller, len(collected.records), len(packed))
        self._key_limits.choose(sender, collected)
        await self._keep(collected)
        self._key_limits.count(sender, collected)
        said = collected.answer(vocabulary.success)
        if not collected.is_in_vain:
            return said
        return said.with_headers(await self._guard.refuse(caller))

    def _sender(self, name: str | None, scope: Scope) -> Sender:
        return self._gate.sender(name, scope.headers.get("origin"), self._clock())

    def _arrival(
        self, scope: Scope, key: WriteKey, vocabulary: Vocabulary, caller: Caller
    ) -> Arrival:
        arrival = Arrival(
            site=key.site,
            currency=key.currency,
            received_at=self._clock(),
            user_agent=browser(scope.headers.get("user-agent")),
            ip=truncated_ip(caller.client),
            country=self._countries.of(caller.client),
            path=scope.path,
        )
        if self._settings.collector_cookieless or vocabulary.is_cookieless:
            arrival.daily_visitor = self._daily_visitors.name(arrival)
            arrival.known = self._daily_visitors if is_of_a_page(scope.headers) else None
        return arrival

    async def _keep(self, collected: Collected) -> None:
        is_kept = False
        try:
            if not self._is_connected:
                raise NotAcknowledged("not connected to Kafka yet")
            await self._batches.write(collected.records)
            is_kept = True
        finally:
            self._recent.note(collected, is_kept=is_kept)
        _count(collected)


def _intake(settings: Settings) -> Intake:
    return Intake(
        Limits(
            bytes=settings.collector_max_event,
            depth=settings.collector_max_depth,
            age=settings.collector_max_age,
        ),
        Names(settings.collector_max_names),
        settings.placeholders,
    )


def _rates(settings: Settings) -> Rates:
    return Rates(
        events=settings.collector_network_events,
        bytes=settings.collector_network_bytes,
        refusals=settings.collector_network_refusals,
        requests=settings.collector_network_requests,
        window=settings.collector_burst.total_seconds(),
    )


def _count(collected: Collected) -> None:
    _accepted(collected.arrival.site).inc(collected.accepted)
    for _, why in collected.refused:
        _refused(why.reason).inc()
