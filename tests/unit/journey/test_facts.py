"""Facts are made by position: each value must stand where its name stands in the contract."""

from typing import Any

from msgspec.structs import asdict, fields

from pipeline.journey.facts import Facts
from pipeline.journey.memory import observe, settle
from pipeline.journey.people import person_id
from pipeline.journey.state import Evidence, Journey, OpenSession, Stake, Traffic, new_state
from schemas.facts import Abandonment, Link, Session, Transition
from schemas.times import instant
from tests.support.journeys import DAY, NOON, RULES, SECOND, SITE, VISITOR, only, seen

# What a column is called where the fact comes from, if it has another name there.
_RENAMED = {
    "orders_told": "orders",
    "revenue_told": "revenue",
    "session_id": "id",
    "first_touchpoint_id": "first_id",
    "last_touchpoint_id": "last_id",
    "traffic_source": "source",
    "traffic_medium": "medium",
    "traffic_campaign": "campaign",
    "channel_group": "group",
}
_COMMON = {
    "site": SITE,
    "visitor_id": VISITOR,
    "person_id": person_id(SITE, VISITOR),
    "kafka_partition": 7,
    "rule_version": RULES.version,
    "version": 9,
    "is_deleted": False,
}


def facts() -> Facts:
    """Give an empty sheet whose numbers differ from each other."""
    return Facts(SITE, VISITOR, 7, RULES, 9)


def told_apart(kind: Any, **known: Any) -> dict[str, Any]:
    """Give each text of a struct its own name as its value."""
    texts = {field.name: field.name for field in fields(kind) if field.type is str}
    return texts | known


def test_each_column_of_a_session_holds_what_its_name_says() -> None:
    traffic = told_apart(Traffic, is_branded=True)
    session = told_apart(
        OpenSession,
        started_at=NOON,
        ended_at=NOON + SECOND,
        is_bot=False,
        touchpoints=3,
        page_views=2,
        revenue=12.5,
        steps=["Product Viewed"],
        orders=1,
    )
    sheet = facts()
    sheet.open_sessions["id"] = OpenSession(**session, traffic=Traffic(**traffic))
    told = session | traffic | _COMMON
    told |= {"started_at": instant(NOON), "ended_at": instant(NOON + SECOND)}
    [row] = sheet.all().values()
    assert asdict(row) == {
        field.name: told[_RENAMED.get(field.name, field.name)] for field in fields(Session)
    }


def test_each_column_of_a_transition_holds_what_its_name_says() -> None:
    sheet = facts()
    seen = Evidence(NOON + 5 * SECOND, "seen", "Order Completed", "shop", turn=3)
    session = OpenSession(**told_apart(OpenSession, started_at=0, ended_at=0, is_bot=False))
    journey = Journey("consideration", NOON, 2)
    sheet.add_transition(RULES.models[0], journey, "forward", "purchase", "rule", seen, session)
    [(id_, row)] = sheet.rows.items()
    told = _COMMON | {
        "transition_id": id_,
        "model": RULES.models[0].model.id,
        "cycle": 2,
        "from_phase": "consideration",
        "to_phase": "purchase",
        "kind": "forward",
        "at": instant(seen.at),
        "session_id": "id",
        "touchpoint_id": "seen",
        "touchpoint_name": "Order Completed",
        "channel": "shop",
        "rule": "rule",
        "seconds_in_previous": 5,
        "turn": 3,
    }
    assert asdict(row) == {field.name: told[field.name] for field in fields(Transition)}


def test_an_identifier_that_was_seen_is_a_row_that_stands() -> None:
    sheet = facts()
    sheet.add_link("email:e-1")
    [row] = sheet.rows.values()
    assert row == Link(
        site=SITE,
        visitor_id=VISITOR,
        identifier="email:e-1",
        kafka_partition=7,
        version=9,
        is_deleted=False,
    )


def test_the_revenue_of_a_session_is_told_without_what_floating_point_adds() -> None:
    session = OpenSession(
        **told_apart(OpenSession, started_at=NOON, ended_at=NOON, is_bot=False, revenue=0.1 + 0.2)
    )
    sheet = facts()
    sheet.open_sessions["id"] = session
    [row] = only(Session, sheet.all().values())
    assert row.revenue_told == 0.3


def test_a_user_without_a_device_and_the_person_of_that_name_lose_two_carts() -> None:
    """Both may be in one partition: one must not take back what the other wrote."""
    cart = Stake("cart", NOON, "added")
    sheets = Facts(SITE, "user:7", 7, RULES), Facts(SITE, "user:7", 7, RULES, has_sessions=False)
    for sheet in sheets:
        sheet.add_abandonment(cart)
    visitor, person = sheets
    assert visitor.rows.keys().isdisjoint(person.rows)


def test_of_a_visitor_who_is_part_of_a_person_only_sessions_are_told() -> None:
    told = facts()
    told.belong_to("user:7")
    state = new_state()
    observe(state, [seen("a", name="Product Added")], NOON, told)
    settle(state, NOON + DAY, told)
    assert [type(fact) for fact in told.all().values()] == [Session]


def test_what_stays_true_is_not_written_again() -> None:
    before, after, sheet = facts(), facts(), facts()
    for each in (before, after):
        each.add_abandonment(Stake("cart", NOON, "stays"))
    before.add_abandonment(Stake("cart", NOON, "refuted"))
    after.add_abandonment(Stake("cart", NOON, "new"))
    sheet.rewrite(before, after)
    written = [row for row in sheet.rows.values() if isinstance(row, Abandonment)]
    ids = {name: sheet._identifier("cart", "", name) for name in ("refuted", "new")}
    assert {row.abandonment_id: row.is_deleted for row in written} == {
        ids["refuted"]: True,
        ids["new"]: False,
    }
