"""What provokes every answer of every path of the collector: requests by operation.

The first of an operation's requests is good; it is what is sent to a collector without Kafka.
"""

import base64
import gzip
import hashlib
import hmac
import json
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from itertools import product
from typing import Any
from urllib.parse import urlencode

import aiohttp

from pipeline.collector.beacon.script import Script
from pipeline.collector.newsletter.links import Link, Purpose, sign
from pipeline.collector.openapi.document import FORM, Operation
from pipeline.collector.vocabularies import pixels
from pipeline.collector.vocabularies.routes import ROUTES
from pipeline.signed.signature import SIGNATURE, TIMESTAMP, signature
from schemas.calls import CallBatch
from tests.support import webhooks
from tests.support.collector import WRITE_KEY

SDK_KEY = "wk_live_4f1c"
"""The key in the document's examples."""

_OLD_KEY = "wk_old"
_OTHER_KEYS = ("wk_other", _OLD_KEY)
KEYS: dict[str, Any] = {
    WRITE_KEY: "shop",
    SDK_KEY: "shop",
    _OLD_KEY: {"site": "shop", "not_after": "2026-01-01T00:00:00Z"},
}
_SECRET = "k" * 32
_PROVIDERS = ("brevo", "mailchimp", "mandrill")

SETTINGS = {
    "write_keys": json.dumps(KEYS),
    "collector_network_refusals": "0",
    "collector_origins": json.dumps(["https://shop.example"]),
    "site_salt": "s" * 32,
    "link_keys": json.dumps([_SECRET]),
    "server_secrets": json.dumps({"shop": [_SECRET]}),
    "provider_secrets": json.dumps(
        {f"{name}/shop": [webhooks.SECRETS[name]] for name in _PROVIDERS}
    ),
    "public_url": webhooks.PUBLIC_URL,
}
"""What a collector needs to know so that every path works."""

_BROWSER = {"user-agent": "Mozilla/5.0 (X11; Linux x86_64; rv:143.0) Gecko/20100101 Firefox/143.0"}
_KEY = {"authorization": aiohttp.encode_basic_auth(WRITE_KEY, "")}
_DEEP = b'{"a":' * 5_000 + b"1" + b"}" * 5_000
_TWENTY_LEVELS: Any = json.loads('{"a":' * 20 + "1" + "}" * 20)


@dataclass(frozen=True)
class Request:
    """Something to send: to `path` if not to that of the operation."""

    body: bytes = b""
    query: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    path: str = ""

    def having(self, **headers: str) -> "Request":
        """Give the same with more headers."""
        return replace(self, headers=self.headers | headers)


def requests(operation: Operation) -> list[Request]:
    """Give what provokes every answer of `operation`."""
    good, *more = _particular(operation)
    sent = [good, *more, good.having(origin="https://evil.example")]
    if operation.examples:
        sent += [replace(each, query=good.query, path=good.path) for each in _BROKEN]
    if operation.path == "/v1/server/batch":
        sent = [_signed(each) for each in sent] + [good]
    if operation.needs_key:
        return [*(replace(each, headers=_KEY | each.headers) for each in sent), Request(b"{")]
    return sent


def with_body(operation: Operation, request: Request, body: bytes) -> Request:
    """Give a request of `operation` with another body, signed anew where that is asked for."""
    sent = replace(request, body=body)
    return _signed(sent) if operation.path == "/v1/server/batch" else sent


_BROKEN = [
    Request(),
    Request(gzip.compress(b"{}" * 100)[:-9], headers={"content-encoding": "gzip"}),
    Request(b"{}", headers={"content-encoding": "br"}),
    Request(b'{"batch":"' + b"x" * 600_000 + b'"}'),
]
"""Bodies that nobody reads."""


def _particular(operation: Operation) -> list[Request]:
    if vocabulary := ROUTES.get((operation.method.upper(), operation.path)):
        for route, provoking in _OF_SDKS.items():
            if ROUTES[route] is vocabulary:
                return [*_good(operation), *_of_another_key(operation), *provoking]
    if operation.needs_key:
        return [*_good(operation), *(_TO_MANY if operation.body is CallBatch else _TO_ONE)]
    return _OF_PATHS.get((operation.method, operation.path)) or _good(operation)


def _good(operation: Operation) -> list[Request]:
    query = urlencode(operation.query)
    path = operation.path.replace("{write_key}", SDK_KEY).replace("{token}", SDK_KEY)
    bodies = [
        example.encode() if media == FORM else json.dumps(example).encode()
        for media, example in operation.examples.items()
    ]
    return [Request(body, query, _BROWSER, path) for body in bodies or [b""]]


def _of_another_key(operation: Operation) -> Iterator[Request]:
    for good, key in product(_good(operation), _OTHER_KEYS):
        body = good.body.replace(SDK_KEY.encode(), key.encode())
        yield replace(good, body=body, query=good.query.replace(SDK_KEY, key))


def _saying(*bodies: Any, query: str = "") -> list[Request]:
    return [Request(json.dumps(body).encode(), query) for body in bodies]


# --- Segment's calls ------------------------------------------------------------------------------

_NAMED = {"anonymousId": "a", "event": "X"}
_TO_ALL = [
    Request(b"{"),
    Request(b"[]"),
    *(
        Request(b"{}", headers={"authorization": aiohttp.encode_basic_auth(key, "")})
        for key in _OTHER_KEYS
    ),
]
_TO_ONE = [
    *_TO_ALL,
    *_saying(
        {"event": "X"},
        _NAMED | {"type": "click"},
        {"type": "track", "anonymousId": "a"},
        _NAMED | {"userId": {}},
        _NAMED | {"timestamp": "yesterday"},
        _NAMED | {"timestamp": "2099-01-01T00:00:00Z"},
        _NAMED | {"properties": {"a": "x" * 40_000}},
        _NAMED | {"type": "track"},
        _NAMED | {"context": {"consent": {"categoryPreferences": {"Analytics": False}}}},
    ),
    Request(b'{"properties":' + _DEEP + b"}"),
]
_GOOD = _NAMED | {"type": "track"}
_BATCHES: list[Any] = [
    {},
    {"batch": {}},
    {"batch": [], "sentAt": "yesterday"},
    {"batch": [{}] * 10_000},
    {"batch": [_GOOD, {"type": "click"}, {"type": "track"}]},
    {"batch": [{}, {"type": "track", "anonymousId": "a"}]},
]
_TO_MANY = [*_TO_ALL, *_saying(*_BATCHES), Request(b'{"batch":[' + _DEEP + b"]}")]


def _signed(request: Request) -> Request:
    now = str(int(time.time()))
    claimed = signature(_SECRET, now, request.body)
    return request.having(**{TIMESTAMP: now, SIGNATURE: claimed})


# --- other SDKs -----------------------------------------------------------------------------------


def _queries(good: dict[str, str], *changes: dict[str, str]) -> list[str]:
    """Give queries with something else than in `good`; what is empty is left out."""
    sent = ({name: value for name, value in (good | each).items() if value} for each in changes)
    return [*map(urlencode, sent), urlencode(good) + "&a=1" * 600]


def _bodies(good: dict[str, Any], *changes: dict[str, Any]) -> list[Request]:
    return _saying(*(good | each for each in changes))


_DEEP_ENTITY = {"schema": "iglu:a/b/jsonschema/1-0-0", "data": _TWENTY_LEVELS}
_SNOWPLOW = _queries(
    {"aid": SDK_KEY, "e": "pv", "duid": "a"},
    {"co": "x"},
    {"co": "[7]"},
    {"co": '{"data": 7}'},
    {"co": json.dumps({"data": [_DEEP_ENTITY]})},
    {"dtm": "yesterday"},
    {"dtm": "4070908800000"},
    {"duid": ""},
    {"e": "se"},
    {"e": "se", "se_ca": "A", "se_ac": "B"},
    {"e": "zz"},
)
_MATOMO = _queries(
    {"idsite": SDK_KEY, "_id": "a", "idgoal": "0"},
    {"ec_items": "x"},
    {"ec_items": "{}"},
    {"ec_items": json.dumps([[_TWENTY_LEVELS]])},
    {"cdt": "yesterday"},
    {"cdt": "4070908800"},
    {"_id": ""},
    {"e_c": "A", "e_a": "B", "idgoal": ""},
)
_POSTHOG = {"api_key": SDK_KEY, "event": "X", "distinct_id": "a"}
_PLAUSIBLE = {"domain": SDK_KEY, "name": "X"}
_WEBSITE: dict[str, Any] = {"website": SDK_KEY, "id": "a"}
_UMAMI = {"type": "event", "payload": _WEBSITE}
_FLAT = {"event_type": "X", "user": {"anonymous_id": "a"}}
_GA4 = f"measurement_id={SDK_KEY}"
_RUDDERSTACK = f"writeKey={SDK_KEY}"

_NO_OBJECT = [Request(b"{"), Request(b"7"), Request(_DEEP)]
_WRONG: list[dict[str, Any]] = [{"event": None}, {"distinct_id": "a" * 200}]
_GTAG = _queries(
    {"v": "2", "tid": SDK_KEY, "cid": "a", "en": "X"},
    {},
    {"en": ""},
    {"cid": ""},
    {"cid": "a" * 200},
    {"gcs": "G100"},
)
_NAMELESS = f"tid={SDK_KEY}&cid=a"
_TOLD: dict[str, Any] = {"event": "X", "properties": {"token": SDK_KEY, "distinct_id": "u"}}
_WRONGLY: list[dict[str, Any]] = [
    *({"distinct_id": ""}, {"distinct_id": "u" * 200}, {"a": _TWENTY_LEVELS}),
    *({"time": "yesterday"}, {"time": 4070908800}),
]
_MIXPANEL = [
    Request(b"{"),
    *_saying(7, _TOLD, _TOLD | {"event": None}, _TOLD | {"event": "Y"}, [_TOLD, {}]),
    *_saying(*(_TOLD | {"properties": _TOLD["properties"] | each} for each in _WRONGLY)),
    *_saying([{"properties": _TOLD["properties"]}]),
    *_saying({"$token": SDK_KEY, "$distinct_id": "u", "$set": 7}),
]
_MORE: tuple[list[Any], ...] = ([], [_POSTHOG])
_IN_PIXELS: list[Any] = [
    *({"event": "X"}, {"type": "click"}, {"type": "track"}, {"userId": {}}),
    {"type": "track", "anonymousId": "a"},
    *({"timestamp": "yesterday"}, {"timestamp": "2099-01-01T00:00:00Z"}),
    {"properties": _TWENTY_LEVELS},
    {"context": {"consent": {"categoryPreferences": {"Analytics": False}}}},
]
_PIXELS = [
    *(Request(query=query) for query in ("data=e", "data=Nw", "a=1&a.b=2", "a=1" + "&a=1" * 600)),
    *(
        Request(query=urlencode({"data": json.dumps({"writeKey": SDK_KEY, **named, **each})}))
        for each in _IN_PIXELS
        for named in ({} if "event" in each or "anonymousId" in each else _NAMED,)
    ),
]

_OF_SDKS: dict[tuple[str, str], list[Request]] = {
    ("POST", "/beacon/v1/batch"): [replace(each, query=_RUDDERSTACK) for each in _TO_MANY],
    **{("GET", f"/v1/pixel/{kind}"): _PIXELS for kind in pixels.PIXELS},
    ("GET", "/i"): [Request(query=query) for query in _SNOWPLOW],
    ("POST", "/com.snowplowanalytics.snowplow/tp2"): [
        *_NO_OBJECT,
        *_saying({"data": 7}, *({"data": [{"aid": SDK_KEY}, *more]} for more in ([], [_GOOD]))),
        *_saying({"data": [{"aid": SDK_KEY, "e": "pv", "duid": "a"}, 7]}),
        *(replace(each, path="/com.example/fruit") for each in _saying({"data": 7})),
    ],
    ("POST", "/e"): [
        *_NO_OBJECT,
        *_bodies(_POSTHOG, {"event": None}, {"distinct_id": None}, {"distinct_id": "a" * 200}),
        *_bodies(_POSTHOG, {"timestamp": "yesterday"}, {"timestamp": "2099-01-01T00:00:00Z"}),
        *_bodies({"api_key": SDK_KEY}, {"batch": [_POSTHOG, 7]}, {"batch": [7]}),
    ],
    ("POST", "/i/v1/analytics/events"): [
        *_NO_OBJECT,
        *_saying(
            {"api_key": SDK_KEY}, *({"api_key": SDK_KEY, "batch": [*more, 7]} for more in _MORE)
        ),
    ],
    ("POST", "/api/event"): [
        *_NO_OBJECT,
        *(
            each.having(**_BROWSER)
            for each in _bodies(_PLAUSIBLE, {}, {"name": None}, {"url": "x" * 5000})
        ),
        *_bodies(_PLAUSIBLE, {}),
    ],
    ("POST", "/api/send"): [
        *_NO_OBJECT,
        *_bodies(_UMAMI, {"type": None}, {"type": "zz"}, {"payload": _WEBSITE | {"id": ""}}),
        *_bodies(
            _UMAMI,
            *({"payload": _WEBSITE | {"timestamp": when}} for when in ("yesterday", 4070908800)),
            {"payload": _WEBSITE | {"url": "x" * 5000}},
            {"payload": _WEBSITE | {"name": "A"}},
        ),
    ],
    ("POST", "/api/batch"): [*_NO_OBJECT, *_saying(_UMAMI, [_UMAMI, {}], [_UMAMI | {"type": 7}])],
    ("POST", "/mp/collect"): [
        replace(each, query=_GA4)
        for each in (*_NO_OBJECT, *_saying(*({"events": events} for events in (7, [7]))))
    ]
    + _saying({"client_id": "a", "events": [{"name": "X"}, 7]}, query=_GA4),
    ("GET", "/g/collect"): [
        Request(query=query, headers=headers) for query in _GTAG for headers in ({}, _BROWSER)
    ],
    ("POST", "/g/collect"): [
        Request(b"\xff", _NAMELESS),
        Request(b"en=a\r\nep.a=b", _NAMELESS),
        Request(b"ep.a=b", _NAMELESS),
        Request(b"en=a&x=" + b"&a=1" * 600, _NAMELESS),
        *(Request(query=query, headers=headers) for query in _GTAG for headers in ({}, _BROWSER)),
    ],
    ("GET", "/track"): [
        Request(query=urlencode({"data": each.body.decode()} | more))
        for each in _MIXPANEL
        for more in ({}, {"verbose": "1"})
    ]
    + [Request(query="a=1" + "&a=1" * 600)],
    ("POST", "/import"): _MIXPANEL,
    ("POST", "/2/httpapi"): [
        *_NO_OBJECT,
        *_bodies({"api_key": SDK_KEY}, {"events": 7}, {"events": [7]}),
        *_bodies({"api_key": SDK_KEY}, {"events": [{"user_id": "u", "event_type": "X"}, 7]}),
    ],
    ("POST", "/"): [
        Request(f"client={SDK_KEY}&e=".encode() + sent)
        for sent in (
            b"{",
            b"[7]",
            b'[{"user_id":"u","event_type":"X"},7]',
            b"&a=1" * 600,
            b"[" * 5000,
        )
    ],
    ("POST", "/httpapi"): [
        Request(f"api_key={SDK_KEY}&".encode() + sent)
        for sent in (
            *(b"event={", b"event=[7]", b"event=" + b"[" * 5000, b"event=&" + b"&a=1" * 600),
            *(b"identification=7", b'event=[{"user_id":"u","event_type":"X"},7]'),
        )
    ],
    ("POST", "/api/v1/event"): [
        replace(each, query=f"token={SDK_KEY}")
        for each in (
            *_NO_OBJECT,
            *_bodies(_FLAT, {"event_type": None}, {"user": {}}, {"user": {"id": "u" * 200}}),
            *_bodies(_FLAT, {"utc_time": "yesterday"}, {"utc_time": "2099-01-01T00:00:00Z"}, {}),
            *_saying([_FLAT, {}], [{}]),
        )
    ],
    ("POST", "/track"): [
        *_MIXPANEL,
        *(replace(each, query="verbose=1") for each in _MIXPANEL),
        *_bodies({"api_key": SDK_KEY}, {"batch": 7}),
    ],
    ("POST", "/batch"): [
        *_NO_OBJECT,
        *_bodies({"api_key": SDK_KEY}, {"batch": 7}, {"events": 7}),
        *_bodies({"api_key": SDK_KEY}, *({"batch": [_POSTHOG | each]} for each in _WRONG)),
        *_bodies(_POSTHOG, {}, {"event": None}, {"distinct_id": None}, {"timestamp": "yesterday"}),
        *_bodies(_POSTHOG, {"timestamp": "2099-01-01T00:00:00Z"}, {"batch": [_POSTHOG, 7]}),
        *_bodies(_POSTHOG, {"batch": [7]}),
    ],
    ("GET", "/matomo.php"): [Request(query=query) for query in _MATOMO],
    ("POST", "/matomo.php"): [
        Request(b"{"),
        *(Request(query.encode()) for query in _MATOMO),
        *_saying(*({"requests": [f"idsite={SDK_KEY}", *more]} for more in ([], [_MATOMO[-2]]))),
        *_saying({"requests": [f"idsite={SDK_KEY}&_id=a", 7]}),
    ],
}
"""By one route of each vocabulary."""


# --- the other doors ------------------------------------------------------------------------------


def _link(purpose: Purpose, body: bytes = b"") -> Request:
    url = "https://shop.example/" if purpose == "click" else ""
    token = sign(Link(purpose, "shop", "spring", "s-1", 4070908800, url), [_SECRET])
    return Request(body, headers=_BROWSER, path=f"/n/{token}")


def _reported(provider: str, body: bytes, query: str = "", **headers: str) -> Request:
    return Request(body, query, headers, f"/v1/webhooks/{provider}/shop")


def _mandrill(body: bytes, *fields: Iterable[str]) -> Request:
    signed = f"{webhooks.PUBLIC_URL}/v1/webhooks/mandrill/shop" + "".join(map("".join, fields))
    mac = hmac.digest(webhooks.SECRETS["mandrill"].encode(), signed.encode(), hashlib.sha1)
    return _reported("mandrill", body, **{"x-mandrill-signature": base64.b64encode(mac).decode()})


_BREVO = {"authorization": aiohttp.encode_basic_auth(*webhooks.SECRETS["brevo"].split(":"))}
_MAILCHIMP = f"secret={webhooks.SECRETS['mailchimp']}"
_ETAG = dict(Script("/v1/batch").answer(None, None).headers)["etag"]
_OPENED = {"event": "opened", "email": "ada@shop.example", "ts_epoch": 1_767_268_800_000}

_OF_PATHS: dict[tuple[str, str], list[Request]] = {
    ("get", "/n/{token}"): [
        *(_link("open"), _link("click"), _link("unsubscribe")),
        Request(path="/n/of.nobody"),
    ],
    ("post", "/n/{token}"): [
        _link("unsubscribe", b"List-Unsubscribe=One-Click"),
        *(_link("unsubscribe", b"x"), _link("click", b"x")),
    ],
    ("get", "/v1/webhooks/{provider}/{site}"): [
        _reported("brevo", b""),
        _reported("nobody", b""),
    ],
    ("post", "/v1/webhooks/{provider}/{site}"): [
        _reported("brevo", json.dumps([_OPENED, {}]).encode(), **_BREVO),
        *(_reported("brevo", b"{", **_BREVO), _reported("brevo", b"[]")),
        _reported("mailchimp", b"type=campaign", _MAILCHIMP),
        _reported("mailchimp", b"&a=1" * 600, _MAILCHIMP),
        _mandrill(b"a=b", ("a", "b")),
        _reported("nobody", b"[]"),
    ],
    **{
        ("get", path): [Request(path=path.format(token=token)) for token in (SDK_KEY, "a%20b")]
        for path in ("/array/{token}/config", "/array/{token}/config.js")
    },
    ("get", "/v1/debug"): [
        Request(headers={"authorization": aiohttp.encode_basic_auth("shop", _SECRET)}),
        Request(headers={"authorization": aiohttp.encode_basic_auth("shop", "x")}),
        Request(),
    ],
    ("get", "/beacon.js"): [Request(), Request(headers={"if-none-match": _ETAG})],
}
