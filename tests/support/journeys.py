"""Evidence, rules and a visitor's life, written the short way."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from msgspec.structs import replace

from pipeline.journey.facts import Facts
from pipeline.journey.fold import replay
from pipeline.journey.memory import is_late, is_over, observe, seal, settle
from pipeline.journey.rules import Rules, compile_rules
from pipeline.journey.state import (
    Evidence,
    VisitorState,
    decode_state,
    encode_state,
    is_known,
    new_state,
)
from pipeline.journey.traffic import TrafficRules
from schemas.facts import Abandonment, Fact, Session, Transition
from schemas.journeys import JourneyModel, load_model
from schemas.traffic import load_sources

SECOND = 1000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR
NOON = 1_767_268_800_000
"""2026-01-01 12:00 UTC."""

SITE, VISITOR = "shop", "ada"
RULES = compile_rules([load_model("lifecycle")], traffic=TrafficRules(load_sources()))

AnyFact = TypeVar("AnyFact", Session, Transition, Abandonment)


def seen(id_: str, after: int = 0, name: str = "Page Viewed", **more: Any) -> Evidence:
    """Make the touchpoint `id_`, `after` milliseconds past noon."""
    return Evidence(at=NOON + after, id=id_, name=name, **more)


def new_facts(rules: Rules = RULES, version: int = 0) -> Facts:
    """Give an empty sheet for the facts of our visitor."""
    return Facts(SITE, VISITOR, 0, rules, version)


def fold(*evidence: Evidence, now: int = 0, rules: Rules = RULES) -> list[Fact]:
    """Replay `evidence` in one go, and then silence until `now` milliseconds past noon."""
    return list(replay(evidence, NOON + now, new_facts(rules)).values())


def only(kind: type[AnyFact], rows: Iterable[Fact]) -> list[AnyFact]:
    """Give the facts of one kind that are not deleted, in order of their times."""
    return sorted(
        (row for row in rows if isinstance(row, kind) and not row.is_deleted), key=_beginning
    )


def _beginning(fact: Fact) -> tuple[Any, ...]:
    if isinstance(fact, Session):
        return fact.started_at, fact.first_touchpoint_id
    assert isinstance(fact, Transition | Abandonment)
    return (fact.at,) if isinstance(fact, Transition) else (fact.opened_at,)


def surviving(rows: dict[str, Fact]) -> dict[str, Fact]:
    """Give the rows that are not deleted, without their versions."""
    return {id_: replace(row, version=0) for id_, row in rows.items() if not row.is_deleted}


@dataclass
class Life:
    """What the tracker does with one visitor, record by record, its state through bytes each time.

    Like the tracker it frees the memory of who will not matter any more.

    `rows` is the table: the last row of every id. That no row is ever written with a lower version
    than before is checked on the way. `accepted` is what did not come too late.
    """

    rules: Rules = RULES
    state: VisitorState = field(default_factory=new_state)
    now: int = 0
    offset: int = -1
    rows: dict[str, Fact] = field(default_factory=dict)
    accepted: dict[str, Evidence] = field(default_factory=dict)

    def see(self, *arriving: Evidence) -> None:
        """Let touchpoints arrive, one record each."""
        for evidence in arriving:
            self.now = max(self.now, evidence.at)
            facts = self._record()
            if not self._is_known_or_late(evidence):
                self.accepted[evidence.id] = evidence
                observe(self.state, [evidence], self.now, facts)
            self._keep(facts)

    def wait(self, until: int) -> None:
        """Let a tick arrive, `until` milliseconds past noon."""
        self.now = max(self.now, NOON + until)
        facts = self._record()
        settle(self.state, self.now, facts)
        self._keep(facts)

    def replayed(self) -> dict[str, Fact]:
        """Fold everything accepted so far in one go: the rows that must survive."""
        return surviving(replay(self.accepted.values(), self.now, new_facts(self.rules)))

    def _is_known_or_late(self, evidence: Evidence) -> bool:
        return is_known(encode_state(self.state), evidence.id) or is_late(
            evidence.at, self.now, self.rules
        )

    def _record(self) -> Facts:
        self.offset += 1
        self.state = decode_state(encode_state(self.state))
        return new_facts(self.rules, self.offset)

    def _keep(self, facts: Facts) -> None:
        seal(self.state, self.now, facts)
        if is_over(self.state, self.now, self.rules):
            self.state = new_state()
        for id_, row in facts.all().items():
            if id_ in self.rows:
                assert self.rows[id_].version <= row.version
            self.rows[id_] = row


def small_model(**other: object) -> JourneyModel:
    """Give a journey model of two phases, with other fields where they are given."""
    fields = {
        "id": "small",
        "version": "1",
        "phases": [{"id": "a", "en": "A", "de": "Ä"}, {"id": "b", "en": "B", "de": "B"}],
        "rules": [
            {"id": "look", "phase": "a", "touchpoints": ["Seen", "Heard"]},
            {"id": "buy", "phase": "b", "touchpoints": ["Bought"], "channels": ["store"]},
        ],
        "funnel": ["Seen", "Bought"],
        "abandonment": [
            {"kind": "cart", "opens": ["Filled"], "timeout": "PT1M", "recovery": "P1D"}
        ],
    }
    return JourneyModel.model_validate(fields | other)
