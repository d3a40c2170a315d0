"""Who a visitor is."""

from pipeline.journey.state import identifier
from schemas.facts import Abandonment, Session, Transition
from tests.support.journeys import DAY, HOUR, MINUTE, SITE, VISITOR, fold, only, seen

NOBODY = identifier(SITE, "visitor", VISITOR)
SEVEN = identifier(SITE, "user", "7")


def test_a_visitor_who_never_says_a_name_stands_for_itself() -> None:
    (session,) = only(Session, fold(seen("a")))
    assert session.person_id == NOBODY


def test_the_first_user_id_names_the_person_of_its_session() -> None:
    (session,) = only(Session, fold(seen("a"), seen("b", MINUTE, user_id="7")))
    assert session.person_id == SEVEN


def test_a_second_user_id_on_the_same_device_changes_nothing() -> None:
    (session,) = only(Session, fold(seen("a", user_id="7"), seen("b", MINUTE, user_id="8")))
    assert session.person_id == SEVEN


def test_a_name_is_remembered_in_later_sessions() -> None:
    first, second = only(Session, fold(seen("a", user_id="7"), seen("b", 2 * HOUR)))
    assert (first.person_id, second.person_id) == (SEVEN, SEVEN)


def test_facts_from_before_the_name_keep_the_person_as_known_at_their_time() -> None:
    rows = fold(
        seen("a", 0, "Product Added"),
        seen("b", HOUR, "Product Viewed", user_id="7"),
        seen("c", HOUR + MINUTE, "Order Completed"),
        seen("d", HOUR + 2 * MINUTE, "Order Shipped"),
    )
    assert [session.person_id for session in only(Session, rows)] == [NOBODY, SEVEN]
    assert [moved.person_id for moved in only(Transition, rows)] == [NOBODY, SEVEN]
    assert [left.person_id for left in only(Abandonment, rows)] == [SEVEN]


def test_a_cart_left_behind_belongs_to_the_person_known_before_the_silence() -> None:
    rows = fold(seen("a", 0, "Product Added"), seen("b", HOUR, user_id="7"))
    assert [left.person_id for left in only(Abandonment, rows)] == [NOBODY]


def test_a_name_is_forgotten_with_the_journey() -> None:
    _, second = only(Session, fold(seen("a", user_id="7"), seen("b", 31 * DAY)))
    assert second.person_id == NOBODY


def test_equal_user_ids_of_two_sites_are_two_people() -> None:
    assert identifier("shop", "user", "7") != identifier("store", "user", "7")


def test_a_user_id_never_meets_an_equal_visitor_id() -> None:
    assert identifier(SITE, "user", "7") != identifier(SITE, "visitor", "7")
