"""What arrived in the last minutes and what became of it, for whoever embeds an SDK. PURE.

It is kept in memory and bounded: by requests of each site, by touchpoints of each request, by time.
Requests that were turned away before anybody knew their site are shown to the network that sent
them, and to the site whose page did.
"""

from collections import OrderedDict, deque
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from pipeline.collector.answers import TurnedAway
from pipeline.collector.collect import MOST_TOLD, Collected

MINUTES = 10
_MOST_SITES = 100
_MOST_REQUESTS = 100
_MOST_TURNED_AWAY = 1_000
_LONGEST = 200

_Object = dict[str, Any]


@dataclass(frozen=True, slots=True)
class _Request:
    at: datetime
    network: str
    origin: str
    told: _Object


class Recent:
    """Remembers requests: some 300 bytes for each, and as many for each of its touchpoints."""

    def __init__(self) -> None:
        self._of_site: OrderedDict[str, deque[_Request]] = OrderedDict()
        self._of_nobody: deque[_Request] = deque(maxlen=_MOST_TURNED_AWAY)

    def note(self, collected: Collected, *, is_kept: bool) -> None:
        """Note a request of which events were read; `is_kept` if Kafka has them."""
        told: _Object = {
            "outcome": _outcome(collected) if is_kept else "unavailable",
            "accepted": collected.accepted if is_kept else 0,
            "touchpoints": collected.told,
            "refused": [
                {"index": index, "error": why.reason, "detail": why.detail[:_LONGEST]}
                for index, why in collected.refused[:MOST_TOLD]
            ],
        }
        arrival = collected.arrival
        self._add(arrival.site, arrival.received_at, arrival.path, arrival.ip, "", told)

    def note_turned_away(
        self, why: TurnedAway, at: datetime, path: str, network: str, origin: str | None
    ) -> None:
        """Note a request that nobody looked into."""
        told = {"outcome": "turned_away", "error": why.code, "detail": why.detail[:_LONGEST]}
        self._add(why.site, at, path, network, (origin or "")[:_LONGEST], told)

    def of(
        self, site: str, now: datetime, origins: Collection[str], network: str
    ) -> Iterator[_Object]:
        """Tell of the requests of `site`, the newest first.

        Of those of nobody it is those of one of the `origins`, or of the `network` that asks.
        """
        nobodys = (
            each
            for each in self._of_nobody
            if each.origin in origins or (network and each.network == network)
        )
        since = now - timedelta(minutes=MINUTES)
        found = [each for each in (*self._of_site.get(site, ()), *nobodys) if each.at >= since]
        for each in sorted(found, key=lambda request: request.at, reverse=True):
            yield each.told | {"at": each.at, "network": each.network, "origin": each.origin}

    def _add(
        self, site: str, at: datetime, path: str, network: str, origin: str, told: _Object
    ) -> None:
        request = _Request(at, network, origin, {"path": path[:_LONGEST]} | told)
        if not site:
            self._of_nobody.append(request)
            return
        if site not in self._of_site:
            self._of_site[site] = deque(maxlen=_MOST_REQUESTS)
        self._of_site[site].append(request)
        self._of_site.move_to_end(site)
        if len(self._of_site) > _MOST_SITES:
            self._of_site.popitem(last=False)


def _outcome(collected: Collected) -> str:
    if not collected.refused:
        return "taken"
    return "partly" if collected.accepted else "refused"
