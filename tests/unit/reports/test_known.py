"""What is not there is refused, with what there is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.reports.known import Unknown, refuse_unknown
from pipeline.reports.span import Span
from schemas.errors import Unusable
from schemas.times import EPOCH

SITES = {"shop", "shop-at", "blog"}


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ("shpo", "there is no site 'shpo'; did you mean shop"),
        ("SHOP", "there is no site 'SHOP'; did you mean shop or shop-at?"),
        ("zzz", "there is no site 'zzz'; there are: blog, shop, shop-at"),
    ],
)
def test_the_nearest_names_are_told_else_all(asked: str, said: str) -> None:
    with pytest.raises(Unknown) as refused:
        refuse_unknown("site", asked, SITES)
    assert str(refused.value).startswith(said)
    assert refused.value.exit_code == 2


def test_of_many_names_some_are_told_and_of_none_that_there_are_none() -> None:
    with pytest.raises(Unknown, match="and 88 more"):
        refuse_unknown("site", "?", [f"site-{number:03}" for number in range(100)])
    with pytest.raises(Unknown, match="none yet"):
        refuse_unknown("site", "shop", [])


@given(st.text(), st.sets(st.text()))
def test_only_what_is_not_there_is_refused(asked: str, known: set[str]) -> None:
    if not asked or asked in known:
        refuse_unknown("site", asked, known)
    else:
        with pytest.raises(Unknown):
            refuse_unknown("site", asked, known)


def test_a_span_that_ends_before_it_begins_is_none() -> None:
    with pytest.raises(Unusable, match="the end must be later"):
        Span(start=EPOCH, end=EPOCH)
