"""What is looked at, as the address says it."""

from datetime import UTC, datetime, timedelta

import pytest

from pipeline.live.address import SPANS, BadAddress, read_address

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
MODELS = ["lifecycle", "aida"]


def test_an_empty_address_is_the_last_hour_of_the_first_site_and_model() -> None:
    view = read_address({}, "shop", MODELS).at(NOW)
    assert (view.site, view.model, view.channel, view.segment) == ("shop", "lifecycle", "", "")
    assert (view.start, view.end) == (NOW - timedelta(hours=1), NOW)
    assert (view.before.start, view.before.end) == (NOW - timedelta(hours=2), view.start)


@pytest.mark.parametrize("span", SPANS)
def test_a_span_ends_now(span: str) -> None:
    view = read_address({"span": span}, "shop", MODELS).at(NOW)
    assert (view.start, view.end) == (NOW - SPANS[span], NOW)


def test_a_span_of_ones_own_stays_where_it_is() -> None:
    said = {"from": "2026-02-01T00:00Z", "to": "2026-02-02T01:00+01:00", "site": "outlet"}
    address = read_address(said, "shop", MODELS)
    assert (address.is_live, address.site) == (False, "outlet")
    assert address.at(NOW).length == timedelta(hours=24)


def test_two_who_say_the_same_look_at_the_same() -> None:
    one = read_address({"span": "7d", "site": "shop", "channel": ""}, "other", MODELS)
    assert one == read_address({"span": "7d"}, "shop", MODELS)
    assert len({one, read_address({"span": "7d"}, "shop", MODELS)}) == 1


@pytest.mark.parametrize(
    "said",
    [
        {"span": "2h"},
        {"span": "1h; DROP"},
        {"site": "<script>"},
        {"site": "../etc"},
        {"site": "a\u202eb"},
        {"site": "shop\n"},
        {"model": "mine"},
        {"channel": "c" * 201},
        {"from": "2026-02-02", "to": "2026-02-01"},
        {"from": "2026-02-02"},
        {"to": "2026-02-02"},
        {"from": "yesterday", "to": "2026-02-01"},
        {"from": "0001-01-01T00:00+14:00", "to": "2026-02-01"},
        {"from": "2000-01-01", "to": "2026-02-01"},
    ],
)
def test_an_address_that_says_nothing_is_refused_with_a_sentence(said: dict[str, str]) -> None:
    with pytest.raises(BadAddress, match=r"\w{2,}"):
        read_address(said, "shop", MODELS)
