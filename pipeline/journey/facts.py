"""PURE: the facts of one visitor or person, as rows, and their retractions."""

import msgspec
from msgspec import structs

from pipeline.journey import cart
from pipeline.journey.people import person_id
from pipeline.journey.rules import ModelRules, Rules
from pipeline.journey.state import Cart, Evidence, Journey, OpenSession, Stake, identifier
from pipeline.values.totals import rounded
from schemas.facts import Abandonment, Fact, Identity, Link, Session, Transition, TransitionKind
from schemas.times import instant

_EMPTY = Cart()


class Facts(msgspec.Struct):
    """The facts of one visitor or person that a stretch of the log wrote, by id.

    `person` is the first name of the person that the visitor is linked with, empty for the visitor
    itself. The journey of a linked visitor is its person's. The visitor's own journey is followed,
    because the person may change, but not written. `pseudonym` is that of the person, once it has
    been computed.
    """

    site: str
    visitor_id: str
    partition: int
    rules: Rules
    version: int = 0
    person: str = ""
    has_sessions: bool = True
    pseudonym: str = ""
    open_sessions: dict[str, OpenSession] = msgspec.field(default_factory=dict)
    rows: dict[str, Fact] = msgspec.field(default_factory=dict)

    @property
    def person_id(self) -> str:
        """The pseudonym of the person."""
        if not self.pseudonym:
            self.pseudonym = person_id(self.site, self.person or self.visitor_id)
        return self.pseudonym

    def belong_to(self, person: str) -> None:
        """Make the visitor part of `person` from here on, or a person of its own (empty)."""
        self.person, self.pseudonym = person, ""

    def all(self) -> dict[str, Fact]:
        """Give every fact by its id, with the sessions as they are now."""
        rows: dict[str, Fact] = {id_: self._session(s) for id_, s in self.open_sessions.items()}
        rows.update(self.rows)
        return rows

    def rewrite(self, before: "Facts", after: "Facts") -> None:
        """Replace the facts of an earlier fold with those of the fold over more evidence.

        Facts in both were written already and are not written again.
        """
        said, true = before.all(), after.all()
        for id_, fact in true.items():
            if said.get(id_) == fact:
                continue
            self.rows[id_] = fact
            if session := after.open_sessions.get(id_):
                self.open_sessions[id_] = session
                del self.rows[id_]
        for id_ in said.keys() - true.keys():
            self.rows[id_] = structs.replace(said[id_], is_deleted=True)

    def add_transition(
        self,
        model: ModelRules,
        journey: Journey,
        kind: TransitionKind,
        phase: str,
        rule: str,
        seen: Evidence,
        session: OpenSession,
    ) -> None:
        """Note that `journey`, as it was before, moves to `phase` with `seen`."""
        if self.person:
            return
        visitor_id = seen.visitor_id or self.visitor_id
        id_ = self._identifier(visitor_id, model.model.id, seen.id)
        # By position, as in `_session`.
        self.rows[id_] = Transition(
            id_,
            self.site,
            model.model.id,
            self.person_id,
            visitor_id,
            journey.cycle + (kind == "cycle"),
            journey.phase,
            phase,
            kind,
            instant(seen.at),
            session.id,
            seen.id,
            seen.name,
            seen.channel,
            rule,
            (seen.at - journey.since) // 1000 if journey.phase else 0,
            self.partition,
            self.rules.version,
            self.version,
            False,  # is_deleted
            seen.turn,
        )

    def add_abandonment(self, stake: Stake, recovery: Evidence | None = None) -> None:
        """Note that `stake` was abandoned, or that `recovery` brought it back."""
        if self.person:
            return
        id_ = self._identifier(stake.kind, stake.opened_by, stake.opened_id)
        at_stake = stake.cart or _EMPTY
        pieces, value = cart.totals(at_stake)
        self.rows[id_] = Abandonment(
            abandonment_id=id_,
            site=self.site,
            model=self.rules.models[0].model.id,
            kind=stake.kind,
            person_id=self.person_id,
            visitor_id=stake.visitor_id or self.visitor_id,
            session_id=stake.session_id,
            step=stake.step,
            opened_at=instant(stake.opened_at),
            last_touchpoint_at=instant(stake.last_at),
            last_touchpoint_id=stake.last_id,
            last_path=stake.last_path,
            abandoned_at=instant(stake.abandoned_at),
            items=pieces,
            value=value,
            currency=at_stake.currency,
            contents=cart.items(at_stake),
            cause=stake.cause,
            cause_touchpoint_id=stake.cause_id,
            recovered_at=instant(recovery.at) if recovery else None,
            recovered_channel=recovery.channel if recovery else "",
            recovered_touchpoint_id=recovery.id if recovery else "",
            kafka_partition=self.partition,
            rule_version=self.rules.version,
            version=self.version,
            is_deleted=False,
        )

    def _identifier(self, *parts: str) -> str:
        # A user without a device is a visitor and the first name of a person, in the same
        # partition: one of them must not retract the other's facts.
        owner = "visitor" if self.has_sessions else "person"
        return identifier(self.site, owner, self.visitor_id, *parts)

    def add_identity(self) -> None:
        """Note which person the visitor is now."""
        self.rows[identifier("identity", self.site, self.visitor_id)] = Identity(
            site=self.site,
            visitor_id=self.visitor_id,
            person_id=self.person_id,
            kafka_partition=self.partition,
            version=self.version,
            is_deleted=not self.person,
        )

    def add_link(self, name: str) -> None:
        """Note that the visitor was seen with the identifier `name`."""
        self.rows[identifier("link", self.site, self.visitor_id, name)] = Link(
            site=self.site,
            visitor_id=self.visitor_id,
            identifier=name,
            kafka_partition=self.partition,
            version=self.version,
            is_deleted=False,
        )

    def _session(self, session: OpenSession) -> Session:
        # Positional arguments: msgspec searches all names for each keyword, which took six times as
        # long.
        return Session(
            session.id,
            self.site,
            self.visitor_id,
            self.person_id,
            instant(session.started_at),
            instant(session.ended_at),
            session.touchpoints,
            session.page_views,
            session.first_id,
            session.last_id,
            session.entry_path,
            session.exit_path,
            session.channel,
            session.referrer_host,
            session.utm_source,
            session.utm_medium,
            session.utm_campaign,
            session.device,
            session.is_bot,
            session.steps,
            session.orders,
            rounded(session.revenue),
            self.partition,
            self.rules.version,
            self.version,
            False,  # is_deleted
            session.traffic.source,
            session.traffic.medium,
            session.traffic.campaign,
            session.traffic.group,
            session.traffic.keyword,
            session.traffic.is_branded,
            session.country,
            session.currency,
        )
