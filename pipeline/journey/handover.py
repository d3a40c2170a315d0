"""PURE: evidence of a visitor on its way to its person.

A visitor that is linked keeps its sessions and hands its evidence over; the person's journey is the
fold over the evidence of all its visitors, in order of time. Evidence is a set, so it does not
matter in which order, how often or in how many pieces it arrives.
"""

from collections.abc import Collection, Iterable, Iterator

import msgspec
from msgspec import structs

from pipeline.journey.facts import Facts
from pipeline.journey.fold import KNOWN_ORDERS
from pipeline.journey.memory import observe, rewrite, settle
from pipeline.journey.messages import Handover
from pipeline.journey.state import (
    Cursor,
    Evidence,
    Member,
    PersonState,
    VisitorState,
    recall,
    unpack_cursor,
)

_PIECE_BYTES = 64 * 1024
"""Most evidence in one message: with a base and the longest touchpoint, Kafka still accepts it."""
_MOST_LOST = 20

_encode = msgspec.json.Encoder().encode


def everything(state: VisitorState, site: str, visitor_id: str, now: int) -> Iterator[Handover]:
    """Give everything known about a visitor, for the person it now belongs to."""
    base = _base_of(state, visitor_id)
    first, *others = pieces(state, recall(state), site, visitor_id, now)
    yield structs.replace(first, base=base if base.last_at else None)
    yield from others


def pieces(
    state: VisitorState, evidence: Iterable[Evidence], site: str, visitor_id: str, now: int
) -> Iterator[Handover]:
    """Hand `evidence` of a visitor to its person, in at least one message."""
    piece: list[Evidence] = []
    size = 0
    for seen in evidence:
        size += len(_encode(seen))
        if piece and size > _PIECE_BYTES:
            yield Handover(site, state.person, visitor_id, state.epoch, now, piece)
            piece, size = [], len(_encode(seen))
        piece.append(structs.replace(seen, visitor_id=visitor_id))
    yield Handover(site, state.person, visitor_id, state.epoch, now, piece)


def _base_of(state: VisitorState, visitor_id: str) -> Cursor:
    base = unpack_cursor(state.base)
    base.visitor_id = visitor_id
    if session := base.sessions.pop("", None):
        base.sessions[visitor_id] = session
    for stake in (*base.open.values(), *base.lost):
        stake.visitor_id = stake.opened_by = visitor_id
    return base


def receive(state: PersonState, handover: Handover, now: int, facts: Facts) -> bool:
    """Add a handover to the person's memory; tell whether it changed anything.

    `now` is the log's time for the site where the person is kept.
    """
    member = state.members.get(handover.visitor_id)
    if member is not None and (member.epoch, member.is_gone) > (handover.epoch, handover.is_gone):
        return False
    is_new = member is None or (member.epoch, member.is_gone) != (handover.epoch, handover.is_gone)
    base = handover.base if member is None or (member.is_gone and not member.sealed_to) else None
    sealed_to = base.last_at if base else member.sealed_to if member else 0
    state.members[handover.visitor_id] = Member(
        handover.epoch, handover.is_gone, sealed_to, handover.era
    )
    if handover.is_gone:
        _leave(state, handover.visitor_id, now, facts)
        return is_new
    # After a crash, the cut between sealed and open evidence may differ.
    arriving = _unknown(state, handover.evidence, max(state.sealed_to, sealed_to))
    if base is not None:
        _merge(state, base, arriving, now, facts)
    elif arriving:
        observe(state, arriving, now, facts)
    settle(state, now, facts)
    return bool(is_new or arriving)


def _unknown(state: PersonState, evidence: list[Evidence], sealed_to: int) -> list[Evidence]:
    open_ = [seen for seen in evidence if seen.at > sealed_to]
    if not any(seen.id.encode() in state.evidence for seen in open_):
        return open_  # so it is nearly always, and reading everything costs a hundred times more
    known = {(seen.id, seen.visitor_id) for seen in recall(state)}
    return [seen for seen in open_ if (seen.id, seen.visitor_id) not in known]


def _merge(
    state: PersonState, base: Cursor, arriving: list[Evidence], now: int, facts: Facts
) -> None:
    # Sealed evidence can no longer be ordered; its results are joined.
    base = joined(unpack_cursor(state.base), base)
    rewrite(state, sorted([*recall(state), *arriving], key=Evidence.place), now, facts, base)


def _leave(state: PersonState, visitor_id: str, now: int, facts: Facts) -> None:
    left = [seen for seen in recall(state) if seen.visitor_id != visitor_id]
    is_left = all(member.is_gone for member in state.members.values())
    rewrite(state, left, now, facts, Cursor() if is_left else None)
    if is_left:  # whoever comes back brings along what it has sealed
        state.sealed_to = 0
        state.members = {
            name: Member(member.epoch, is_gone=True, era=member.era)
            for name, member in state.members.items()
        }


def expel(state: PersonState, names: Collection[str], now: int, facts: Facts) -> None:
    """Remove the erased visitors `names` from the person's memory.

    Their sealed evidence stays in the counts of the others, without a name. Of a person without
    members nothing stays.
    """
    state.members = {name: one for name, one in state.members.items() if name not in names}
    is_left = all(member.is_gone for member in state.members.values())
    if is_left:
        state.members, state.sealed_to = {}, 0
    base = Cursor() if is_left else _without(unpack_cursor(state.base), names)
    left = [seen for seen in recall(state) if seen.visitor_id not in names and not is_left]
    rewrite(state, left, now, facts, base)
    facts.rows = {id_: fact for id_, fact in facts.rows.items() if fact.visitor_id not in names}


def _without(base: Cursor, names: Collection[str]) -> Cursor:
    base.sessions = {who: session for who, session in base.sessions.items() if who not in names}
    base.open = {key: stake for key, stake in base.open.items() if stake.visitor_id not in names}
    base.lost = [stake for stake in base.lost if stake.visitor_id not in names]
    return base


def joined(one: Cursor, other: Cursor) -> Cursor:
    """Join two sealed histories: the state of the newer one, with the orders of both."""
    older, newer = sorted((one, other), key=lambda cursor: cursor.last_at)
    told_twice = set(older.order_ids) & set(newer.order_ids)
    return structs.replace(
        newer,
        settled_at=max(older.settled_at, newer.settled_at),
        sessions=older.sessions | newer.sessions,
        journeys=older.journeys | newer.journeys,
        orders=older.orders + newer.orders - len(told_twice),
        visits=older.visits + newer.visits,
        counts={
            name: older.counts.get(name, 0) + newer.counts.get(name, 0)
            for name in older.counts.keys() | newer.counts.keys()
        },
        order_session_id=newer.order_session_id or older.order_session_id,
        ordered_at=max(older.ordered_at, newer.ordered_at),
        open=older.open | newer.open,
        lost=[*older.lost, *newer.lost][-_MOST_LOST:],
        cart=newer.cart or older.cart,
        troubles=older.troubles | newer.troubles,
        order_ids=[
            *(id_ for id_ in older.order_ids if id_ not in told_twice),
            *newer.order_ids,
        ][-KNOWN_ORDERS:],
    )
