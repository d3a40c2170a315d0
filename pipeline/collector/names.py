"""How many different names a site's touchpoints have. PURE.

A name becomes a row in statistics, a choice in dashboards and a key in memory: random names would
make millions of each. The names of Segment's specification are always accepted, so that nobody can
crowd out an order by using up the others.
"""

from datetime import date

from pipeline.collector.vocabularies.segment import SPECIFIED
from schemas.codec import Refused
from schemas.dead_letter import Reason


class Names:
    """Knows the names of today and yesterday; a site may have `most` different ones a day."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._day = date.min
        self._today: dict[str, set[str]] = {}
        self._yesterday: dict[str, set[str]] = {}

    def admit(self, site: str, name: str, today: date) -> None:
        """Raise Refused if `name` is new and the site has used up its names."""
        if name in SPECIFIED:
            return
        if today > self._day:
            self._turn(today)
        known = self._today.setdefault(site, set())
        if name in known:
            return
        if len(known) < self._most:
            known.add(name)
        elif name not in self._yesterday.get(site, ()):
            raise Refused(
                Reason.TOO_MANY_NAMES,
                f"the site has used {self._most} touchpoint names today, and this one is new: "
                "put what differs between them into properties",
            )

    def _turn(self, today: date) -> None:
        is_next = (today - self._day).days == 1
        self._yesterday = self._today if is_next else {}
        self._day, self._today = today, {}
