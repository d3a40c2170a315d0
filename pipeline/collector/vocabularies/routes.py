"""Which vocabulary a path belongs to, and what SDKs request before they send. PURE."""

import re

from pipeline.collector.answers import Answer
from pipeline.collector.vocabularies import (
    amplitude,
    ga4,
    gtag,
    jitsu,
    jitsu_first,
    matomo,
    mixpanel,
    pixels,
    plausible,
    posthog,
    posthog_results,
    rudderstack,
    segment,
    shared_paths,
    snowplow,
    umami,
)
from pipeline.collector.vocabularies.vocabulary import Routes, Vocabulary

_SLASHES = re.compile("/{2,}")

ROUTES: Routes = {
    **segment.ROUTES,
    **pixels.ROUTES,
    **rudderstack.ROUTES,
    **jitsu.ROUTES,
    **jitsu_first.ROUTES,
    **snowplow.ROUTES,
    **posthog.ROUTES,
    **posthog_results.ROUTES,
    **plausible.ROUTES,
    **umami.ROUTES,
    **ga4.ROUTES,
    **gtag.ROUTES,
    **matomo.ROUTES,
    **mixpanel.ROUTES,
    **amplitude.ROUTES,
    **shared_paths.ROUTES,
}

SET_UP = [*segment.SET_UP, *rudderstack.SET_UP, *posthog.SET_UP]
"""What SDKs request before they send."""


def vocabulary_of(method: str, path: str) -> Vocabulary | None:
    """Return the vocabulary of requests by `method` to `path`."""
    if found := ROUTES.get((method, path)) or ROUTES.get((method, plain(path))):
        return found
    if in_a_folder := matomo.OWN_PATH.fullmatch(plain(path)):
        return ROUTES.get((method, in_a_folder[1]))
    return snowplow.OWN if method == "POST" and snowplow.OWN_PATH.fullmatch(path) else None


def plain(path: str) -> str:
    """Return `path` as it was meant: SDKs join host and path, and both may have a slash."""
    return _SLASHES.sub("/", path).rstrip("/") or "/"


def set_up(path: str, host: str) -> Answer | None:
    """Answer what an SDK requests from `host` before it sends; None if it is no such request."""
    asked = plain(path)
    for question in SET_UP:
        if match := question.path.fullmatch(asked):
            return question.answer(match[1], host)
    return None


def is_known(path: str) -> bool:
    """Tell whether `path` is in use, so that preflight requests to it are answered."""
    ways = (vocabulary_of(method, path) for method in ("POST", "GET"))
    return any(ways) or set_up(path, "") is not None
