"""PURE: what a person begins and leaves behind.

    browse → cart → checkout    one of them at a time, the later replaces the earlier
    form                        one for each form
    newsletter                  unopened mails in a row, or an unsubscription
    journey                     always

A touchpoint opens a stake, and another one ends it: an order, a submitted form, an opened mail. The
stake is abandoned when its person has been silent for longer than the timeout of its rule. If the
ending touchpoint comes within the recovery window after that, the stake is recovered. The model
file names the touchpoints.
"""

from pipeline.journey.abandonment_rules import (
    AT_STAKE,
    JOURNEY,
    PUT_IN,
    TAKEN_OUT,
    VIEWED,
    AbandonmentRules,
    Kinds,
    StakeRule,
)
from pipeline.journey.cart import look_at, put_in, puts_something_in, take_out
from pipeline.journey.state import Cursor, Evidence, OpenSession, Stake
from schemas.facts import AbandonmentKind

_LATER: dict[AbandonmentKind, Kinds] = {"browse": ("cart", "checkout"), "cart": ("checkout",)}
_EARLIER: dict[AbandonmentKind, Kinds] = {"cart": ("browse",), "checkout": ("browse", "cart")}
_WITH_CART = ("cart", "checkout", JOURNEY)
_REMEMBERED = 5
"""Lost stakes of each kind that are kept; older ones can no longer be recovered."""
_MOST_OPEN = 10


def deadline(cursor: Cursor, rules: AbandonmentRules) -> int | None:
    """Give the time until which no open stake is abandoned, if there is one."""
    earliest = None
    for stake in cursor.open.values():
        due = _due(cursor, stake, rules)
        if due and (earliest is None or due < earliest):
            earliest = due
    return earliest


def _due(cursor: Cursor, stake: Stake, rules: AbandonmentRules) -> int:
    """Give the deadline of a stake; 0 when it has none yet."""
    if stake.kind == JOURNEY:
        limit = rules.limit_ms.get(_phase(cursor, rules))
        return cursor.last_at + limit if limit else 0
    rule = rules.kinds.get(stake.kind)
    if rule is None:  # the model had it when the stake was opened
        return 0
    return stake.due if rule.in_a_row else cursor.last_at + rule.timeout_ms


def _phase(cursor: Cursor, rules: AbandonmentRules) -> str:
    journey = cursor.journeys.get(rules.model)
    return journey.phase if journey else ""


def settle(cursor: Cursor, now: int, rules: AbandonmentRules) -> list[Stake]:
    """Judge the silence up to `now`; give the stakes that became abandoned, by deadline."""
    if now - cursor.last_at <= rules.shortest_ms and rules.counted.isdisjoint(cursor.open):
        return []  # so it is with nearly every touchpoint
    due = [
        (due, key)
        for key, stake in cursor.open.items()
        if 0 < (due := _due(cursor, stake, rules)) < now
    ]
    return [_settle(cursor, key, due, rules) for due, key in sorted(due)]


def _settle(cursor: Cursor, key: str, due: int, rules: AbandonmentRules) -> Stake:
    stake = cursor.open.pop(key)
    rule = rules.kinds.get(stake.kind)
    if not rule or not rule.in_a_row:
        _note_end(stake, cursor)
    if stake.kind == JOURNEY:
        stake.step = _phase(cursor, rules)
    _lose(cursor, stake, due, rules)
    cursor.settled_at = due
    return stake


def recover(cursor: Cursor, seen: Evidence, rules: AbandonmentRules) -> list[Stake]:
    """Forget the lost stakes that `seen` ends; give those that it recovers."""
    if not cursor.lost:
        return []
    kinds = rules.meanings.get(seen.name, rules.usual).recovers
    ended = [stake for stake in cursor.lost if _is_meant(stake, kinds, seen)]
    if ended:
        cursor.lost = [stake for stake in cursor.lost if not _is_meant(stake, kinds, seen)]
    return [s for s in ended if seen.at - s.abandoned_at <= rules.kinds[s.kind].recovery_ms]


def follow(
    cursor: Cursor, seen: Evidence, session: OpenSession, rules: AbandonmentRules
) -> list[Stake]:
    """Let `seen` open, extend and end stakes; give those that it abandons."""
    if rules.limit_ms and JOURNEY not in cursor.open:
        cursor.open[JOURNEY] = Stake(JOURNEY, seen.at, seen.id, opened_by=seen.visitor_id)
    meaning = rules.meanings.get(seen.name)
    if meaning is None:
        return []
    if meaning.cause:
        cursor.troubles[meaning.cause] = (seen.at, seen.id)
    if meaning.ends:
        _end(cursor, meaning.ends, seen)
    is_settled = _is_settled(cursor, seen, session, rules)
    _fill(cursor, seen, is_settled=is_settled)
    for kind in meaning.opens:
        if kind not in AT_STAKE or _is_at_stake(cursor, kind, seen, is_settled=is_settled):
            _open_or_extend(cursor, kind, seen, session, rules)
    kinds = [kind for kind in meaning.gives_up if not _is_lost(cursor, kind)]
    return [_give_up(cursor, kind, seen, rules) for kind in kinds]


def _end(cursor: Cursor, kinds: Kinds, seen: Evidence) -> None:
    cursor.open = {
        k: stake for k, stake in cursor.open.items() if not _is_meant(stake, kinds, seen)
    }


def _is_settled(
    cursor: Cursor, seen: Evidence, session: OpenSession, rules: AbandonmentRules
) -> bool:
    """Tell whether an order of this visit, or a moment ago, has used up the cart."""
    if cursor.cart is not None or not cursor.ordered_at:
        return False
    is_just_now = seen.at - cursor.ordered_at <= rules.settled_ms
    return is_just_now or session.id == cursor.order_session_id


def _is_at_stake(
    cursor: Cursor, kind: AbandonmentKind, seen: Evidence, *, is_settled: bool
) -> bool:
    """Tell whether there is a cart to lose; an empty cart is not one.

    The last step of a checkout may arrive after its order, and an empty cart may be viewed.
    """
    is_open = any(other in cursor.open for other in AT_STAKE)
    if kind == "cart" and seen.name != VIEWED:
        return not cursor.is_emptied and (is_open or puts_something_in(seen))
    return is_open or not (is_settled or cursor.is_emptied)


def _fill(cursor: Cursor, seen: Evidence, *, is_settled: bool) -> None:
    had_lines = _has_lines(cursor)
    if seen.is_whole_cart:
        cursor.cart = put_in(None, seen)
    elif seen.name == PUT_IN:
        cursor.cart = put_in(cursor.cart, seen)
    elif seen.name == TAKEN_OUT and had_lines:
        cursor.cart = take_out(cursor.cart, seen)
    elif seen.products and not had_lines and not is_settled:
        # It gives the value of a cart whose content is unknown.
        cursor.cart = put_in(None, seen)
    else:
        return
    is_told_empty = had_lines or seen.is_whole_cart
    cursor.is_emptied = is_told_empty and not _has_lines(cursor)
    if cursor.is_emptied:
        for kind in AT_STAKE:
            cursor.open.pop(kind, None)


def _has_lines(cursor: Cursor) -> bool:
    return cursor.cart is not None and bool(cursor.cart.lines)


def _is_meant(stake: Stake, kinds: Kinds, seen: Evidence) -> bool:
    return stake.kind in kinds and stake.form in ("", seen.form)


def _open_or_extend(
    cursor: Cursor,
    kind: AbandonmentKind,
    seen: Evidence,
    session: OpenSession,
    rules: AbandonmentRules,
) -> None:
    rule = rules.kinds[kind]
    if rule.channels and seen.channel not in rule.channels:
        return
    form = seen.form if kind == "form" else ""
    key = f"form {form}" if form else kind
    stake = cursor.open.get(key)
    if stake is None:
        if not _may_open(cursor, kind, session, rule):
            return
        stake = Stake(kind, seen.at, seen.id, form=form, opened_by=seen.visitor_id)
        cursor.open[key] = stake
        for earlier in _EARLIER.get(kind, ()):
            cursor.open.pop(earlier, None)
    stake.step = seen.step or seen.name
    if kind == "browse":
        stake.cart = look_at(stake.cart, seen)
    if stake.count < rule.in_a_row:
        stake.count += 1
        stake.due = seen.at + rule.timeout_ms if stake.count == rule.in_a_row else 0
        _note_end(stake, cursor)


def _may_open(cursor: Cursor, kind: AbandonmentKind, session: OpenSession, rule: StakeRule) -> bool:
    if kind == "form":
        return len(cursor.open) < _MOST_OPEN
    later = _LATER.get(kind, ())
    if any(other in cursor.open for other in later):
        return False
    if kind == "browse":  # not after a cart or an order of the same visit
        lost = (stake.session_id for stake in cursor.lost if stake.kind in later)
        return session.id not in (cursor.order_session_id, *lost)
    return not rule.in_a_row or not _is_lost(cursor, kind)


def _is_lost(cursor: Cursor, kind: AbandonmentKind) -> bool:
    return any(stake.kind == kind for stake in cursor.lost)


def _give_up(
    cursor: Cursor, kind: AbandonmentKind, seen: Evidence, rules: AbandonmentRules
) -> Stake:
    stake = cursor.open.pop(kind, None) or Stake(kind, seen.at, seen.id, opened_by=seen.visitor_id)
    stake.step = seen.step or seen.name
    _note_end(stake, cursor)
    _lose(cursor, stake, seen.at, rules)
    return stake


def _note_end(stake: Stake, cursor: Cursor) -> None:
    session = cursor.session
    if session is None:
        return
    stake.visitor_id = cursor.visitor_id
    stake.last_at, stake.last_id = session.ended_at, session.last_id
    stake.last_path, stake.session_id = session.exit_path, session.id


def _lose(cursor: Cursor, stake: Stake, at: int, rules: AbandonmentRules) -> None:
    stake.abandoned_at = at
    stake.cause, stake.cause_id = _cause(cursor, stake.last_at, rules)
    if stake.kind in _WITH_CART:
        stake.cart = cursor.cart
    before = [lost for lost in cursor.lost if lost.kind == stake.kind]
    if len(before) >= _REMEMBERED:
        cursor.lost.remove(before[0])
    cursor.lost.append(stake)


def _cause(cursor: Cursor, end: int, rules: AbandonmentRules) -> tuple[str, str]:
    for cause, within in rules.causes:
        at, id_ = cursor.troubles.get(cause, (end + 1, ""))
        if 0 <= end - at <= within:
            return cause, id_
    return "", ""
