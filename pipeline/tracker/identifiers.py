"""PURE: the identifiers in a touchpoint."""

from collections.abc import Collection

import msgspec

from pipeline.journey.people import is_nobody, name_identifier
from pipeline.tracker.properties import said
from pipeline.values.identifiers import identifier
from schemas.touchpoint import Touchpoint


class _Carried(msgspec.Struct, gc=False):
    email_hash: object = ""
    email_sha256: object = ""
    customer_id: object = ""
    subscriber_id: object = ""


class _WithTraits(_Carried, gc=False):
    traits: _Carried | None = None


_carried = msgspec.json.Decoder(_WithTraits)
_CARRIED = {
    "customer_id": "customer",
    "email_hash": "email",
    "email_sha256": "email",
    "subscriber_id": "subscriber",
}


def read_identifiers(
    touchpoint: Touchpoint, visitor_id: str, placeholders: Collection[str] = ()
) -> tuple[str, ...]:
    """Name the identifiers in the touchpoint, besides the visitor itself.

    The user id; with `alias` the id it replaces; and, in properties or traits, `customer_id`,
    `email_sha256`, `email_hash` (with a site's salt) and `subscriber_id`. Values that mean nobody
    are left out, and a visitor with such a name has none.
    """
    properties = str(touchpoint.properties, "utf-8")
    # A part of each name: searching for all names would cost more than reading some in vain.
    may_carry = "email_" in properties or "r_id" in properties
    if not (may_carry or touchpoint.user_id or touchpoint.previous_id):
        return ()  # so it is with nearly every touchpoint
    if is_nobody(touchpoint.anonymous_id or touchpoint.user_id, placeholders):
        return ()
    told = [("user", touchpoint.user_id)] if touchpoint.user_id else []
    previous = touchpoint.previous_id if touchpoint.previous_id != visitor_id else ""
    if previous:
        told.append(("user", previous))
    if may_carry:
        told += _read_carried(properties)
    names = dict.fromkeys(name_identifier(kind, value, placeholders) for kind, value in told)
    if not is_nobody(previous, placeholders):
        names[previous] = None
    return tuple(name for name in names if name not in ("", visitor_id))


def _read_carried(properties: str) -> list[tuple[str, str]]:
    given = said(_carried, properties)
    if given is None:
        return []
    parts = (given, given.traits) if given.traits else (given,)
    return [
        (kind, value.lower() if kind == "email" else value)
        for part in parts
        for name, kind in _CARRIED.items()
        if (value := identifier(getattr(part, name)))
    ]
