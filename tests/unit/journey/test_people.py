"""Which visitors are one person."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.journey.people import (
    Limits,
    Link,
    Node,
    connect,
    first_name,
    first_names,
    name_identifier,
    person_id,
)
from pipeline.journey.state import identifier

LIMITS = Limits(visitors=3, identifiers=2)


def assigned(*links: Link, limits: Limits = LIMITS) -> dict[str, str]:
    """Let links arrive one by one; give who everybody is in the end, as told on the way."""
    graph: dict[str, Node] = {}
    told: dict[str, str] = {}
    for offset, link in enumerate(links):
        told |= connect(lambda name: graph.setdefault(name, Node()), link, limits, offset)
    return {name: person for name, person in told.items() if person}


def test_a_visitor_and_its_user_are_one_person_named_by_the_user() -> None:
    assert assigned(("ada", "user:7")) == {"ada": "user:7", "user:7": "user:7"}


def test_two_devices_of_a_user_are_one_person() -> None:
    everybody = assigned(("phone", "user:7"), ("laptop", "user:7"))
    assert everybody == dict.fromkeys(("phone", "laptop", "user:7"), "user:7")


def test_whoever_has_become_somebody_else_has_changed() -> None:
    graph: dict[str, Node] = {}
    for offset, link in enumerate([("phone", "email:a"), ("phone", "user:7")]):
        connect(lambda name: graph.setdefault(name, Node()), link, LIMITS, offset)
    assert graph["email:a"].offset == 1


def test_two_identifiers_on_one_device_join_two_people_who_both_have_a_history() -> None:
    links = [("phone", "user:7"), ("laptop", "email:a"), ("laptop", "user:7")]
    assert set(assigned(*links).values()) == {"user:7"}


@pytest.mark.parametrize(
    ("names", "first"),
    [
        (["ada", "subscriber:1", "email:1", "customer:1", "user:1"], "user:1"),
        (["ada", "subscriber:1", "email:1", "customer:1"], "customer:1"),
        (["ada", "subscriber:1", "email:1"], "email:1"),
        (["ada", "subscriber:1"], "subscriber:1"),
        (["bob", "ada"], "ada"),
        (["user:8", "user:7"], "user:7"),
        (["other:1", "user:1"], "user:1"),
    ],
)
def test_users_come_before_customers_addresses_subscribers_and_devices(
    names: list[str], first: str
) -> None:
    assert first_name(names) == first


def test_an_identifier_with_as_many_visitors_as_allowed_joins_them() -> None:
    everybody = assigned(*((f"v{number}", "user:till") for number in range(3)))
    assert set(everybody) == {"v0", "v1", "v2", "user:till"}


def test_one_visitor_more_and_it_joins_nobody_any_more() -> None:
    graph: dict[str, Node] = {}
    told: dict[str, str] = {}
    for number in range(4):
        told |= connect(
            lambda name: graph.setdefault(name, Node()), (f"v{number}", "user:till"), LIMITS, number
        )
    assert told == dict.fromkeys(("v0", "v1", "v2", "user:till"), "")


def test_a_device_on_which_too_many_sign_in_joins_nobody() -> None:
    links = [("kiosk", f"user:{number}") for number in range(3)]
    assert assigned(*links, ("ada", "user:1")) == {"ada": "user:1", "user:1": "user:1"}


@pytest.mark.parametrize(
    "value", ["", " ", "null", "NULL", "undefined", "0", "test", "anonymous", "[object Object]"]
)
def test_what_forms_and_exports_write_for_nobody_is_no_identifier(value: str) -> None:
    assert name_identifier("user", value) == ""


def test_a_sites_own_words_for_nobody_are_no_identifiers_either() -> None:
    assert name_identifier("user", " Walk-In ", {"walk-in"}) == ""
    assert name_identifier("user", "Walk-In") == "user:Walk-In"


def test_an_identifier_is_named_by_its_kind_and_trimmed_value() -> None:
    assert name_identifier("customer", " 77 ") == "customer:77"


def test_a_value_too_long_for_a_row_is_known_by_its_hash() -> None:
    assert name_identifier("user", "x" * 128) == "user:" + "x" * 128
    assert name_identifier("user", "x" * 129) == "user:" + identifier("user:" + "x" * 129)


def test_equal_names_of_two_sites_are_two_people() -> None:
    assert person_id("shop", "user:7") != person_id("store", "user:7")


def test_a_persons_id_is_a_pseudonym() -> None:
    assert person_id("shop", "user:7") == identifier("shop", "person", "user:7")


def test_who_is_linked_with_nobody_is_not_named() -> None:
    assert first_names([], LIMITS) == {}


names = st.sampled_from([f"v{number}" for number in range(8)])
identifiers = st.sampled_from(
    [f"{kind}:{number}" for kind in ("user", "email", "customer") for number in range(4)]
)


@given(st.lists(st.tuples(names, identifiers), max_size=30), st.randoms(use_true_random=False))
def test_the_order_of_links_and_their_repetition_make_no_difference(
    links: list[Link], random: Random
) -> None:
    again = [*links, *links[: len(links) // 2]]
    random.shuffle(again)
    assert assigned(*again) == assigned(*links) == first_names(links, LIMITS)


@given(st.lists(st.tuples(names, identifiers), max_size=30))
def test_one_person_is_everybody_who_can_be_reached_by_links(links: list[Link]) -> None:
    """The same by repeated widening, without limits: an independent computation."""
    together = {name: {name} for link in links for name in link}
    for _ in links:
        for one, other in links:
            both = together[one] | together[other]
            for name in both:
                together[name] = both
    expected = {name: first_name(group) for name, group in together.items()}
    assert first_names(links, Limits(visitors=99, identifiers=99)) == expected
