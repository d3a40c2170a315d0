"""What arrived in the last minutes and what happened to it, for people who set up an SDK. PURE.

It is kept in memory and bounded: by requests per site, by touchpoints per request, by time.
Requests that were turned away before their site was known are shown to the network that sent them,
and to the site whose page did.
"""

from collections import OrderedDict, deque
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from msgspec.structs import asdict

from pipeline.collector.answers import TurnedAway
from pipeline.collector.collect import MOST_TOLD, Collected, Told
from schemas.touchpoint import visitor_of

MINUTES = 10
_MOST_SITES = 100
_MOST_REQUESTS = 100
_MOST_TURNED_AWAY = 1_000
_LONGEST = 200

_Object = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Asker:
    """The asker: for a site, whose pages have these `origins`, from a network.

    With `sees_all`, it is shown every request that was turned away before its site was known.
    """

    site: str
    origins: Collection[str] = ()
    network: str = ""
    sees_all: bool = False


@dataclass(frozen=True, slots=True)
class _Request:
    at: datetime
    network: str
    origin: str
    told: _Object
    touchpoints: list[Told] = field(default_factory=list)
    is_diverted: bool = False

    def is_shown_to(self, asker: Asker) -> bool:
        """Say whether this request of nobody is shown."""
        is_of_network = bool(asker.network) and self.network == asker.network
        return asker.sees_all or is_of_network or self.origin in asker.origins


class Recent:
    """Remembers requests: some 300 bytes for each, and as many for each of its touchpoints.

    A touchpoint that lags by more than `lateness` may be late.
    """

    def __init__(self, lateness: timedelta) -> None:
        self._lateness = lateness
        self._of_site: OrderedDict[str, deque[_Request]] = OrderedDict()
        self._of_nobody: deque[_Request] = deque(maxlen=_MOST_TURNED_AWAY)

    def note(self, collected: Collected, *, is_kept: bool) -> None:
        """Note a request of which events were read; `is_kept` if Kafka has them."""
        told: _Object = {
            "outcome": _outcome(collected) if is_kept else "unavailable",
            "accepted": collected.accepted if is_kept else 0,
            "refused": [
                {"index": index, "error": why.reason, "detail": why.detail[:_LONGEST]}
                for index, why in collected.refused[:MOST_TOLD]
            ],
        }
        arrival = collected.arrival
        touchpoints, is_diverted = collected.told, collected.is_diverted
        self._add(
            arrival.site,
            arrival.path,
            _Request(arrival.received_at, arrival.ip, "", told, touchpoints, is_diverted),
        )

    def note_turned_away(
        self, why: TurnedAway, at: datetime, path: str, network: str, origin: str | None
    ) -> None:
        """Note a request whose content was not read."""
        told = {"outcome": "turned_away", "error": why.code, "detail": why.detail[:_LONGEST]}
        self._add(why.site, path, _Request(at, network, (origin or "")[:_LONGEST], told))

    def of(self, asker: Asker, now: datetime) -> list[_Object]:
        """List the requests of a site, and others that the asker may see, newest first."""
        nobodys = (each for each in self._of_nobody if each.is_shown_to(asker))
        since = now - timedelta(minutes=MINUTES)
        found = (*self._of_site.get(asker.site, ()), *nobodys)
        recent = sorted((each for each in found if each.at >= since), key=lambda each: each.at)
        return list(self._described(recent))[::-1]

    def _described(self, requests: Iterable[_Request]) -> Iterator[_Object]:
        """Describe requests, the oldest first."""
        known: set[tuple[str, str]] = set()
        for each in requests:
            told = each.told | {"at": each.at, "network": each.network, "origin": each.origin}
            if "accepted" not in told:  # nobody looked into it
                yield told
                continue
            touchpoints = [
                {**asdict(touchpoint), "notes": list(self._notes(touchpoint, each, known))}
                for touchpoint in each.touchpoints
            ]
            if told["accepted"]:
                known |= {_key(touchpoint) for touchpoint in each.touchpoints}
            yield told | {"touchpoints": touchpoints}

    def _notes(
        self, touchpoint: Told, request: _Request, known: Collection[tuple[str, str]]
    ) -> Iterator[str]:
        if _key(touchpoint) in known:
            yield "repeated"
        if touchpoint.is_bot:
            yield "bot"
        if touchpoint.occurred_at < request.at - self._lateness:
            yield "late"
        if request.is_diverted:
            yield "waits"

    def _add(self, site: str, path: str, request: _Request) -> None:
        request.told["path"] = path[:_LONGEST]
        if not site:
            self._of_nobody.append(request)
            return
        if site not in self._of_site:
            self._of_site[site] = deque(maxlen=_MOST_REQUESTS)
        self._of_site[site].append(request)
        self._of_site.move_to_end(site)
        if len(self._of_site) > _MOST_SITES:
            self._of_site.popitem(last=False)


def _key(touchpoint: Told) -> tuple[str, str]:
    return visitor_of(touchpoint.anonymous_id, touchpoint.user_id), touchpoint.touchpoint_id


def _outcome(collected: Collected) -> str:
    if not collected.refused:
        return "taken"
    return "partly" if collected.accepted else "refused"
