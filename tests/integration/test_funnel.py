"""Funnels on the real engine: cases counted by hand."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from click.testing import CliRunner, Result
from clickhouse_connect.driver.client import Client
from rich.console import Console

from pipeline.cli import main
from pipeline.reports.funnel.answer import Answer, Reached, read_funnel
from pipeline.reports.funnel.question import BadFunnel, Question, parse_steps
from pipeline.reports.funnel.sql import MOST_VALUES
from pipeline.reports.funnel.text import duration, render
from pipeline.reports.span import Span, as_json
from schemas.touchpoint import Touchpoint
from tests.support.database import insert_json, migrated_database, track
from tests.support.engine import EngineServer

NOON = datetime(2025, 3, 1, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


@pytest.fixture
def client(engine: EngineServer) -> Iterator[Client]:
    with migrated_database(engine) as client:
        yield client


def seen(visitor: str, seconds: float, name: str, **more: Any) -> Touchpoint:
    fields = {"channel": "shop", "site": "shop", "properties": {}} | more
    return Touchpoint(
        touchpoint_id=f"{visitor}-{seconds}-{name}-{fields['channel']}",
        type="track",
        name=name,
        occurred_at=NOON + timedelta(seconds=seconds),
        received_at=NOON,
        anonymous_id=visitor,
        **fields | {"properties": msgspec.Raw(msgspec.json.encode(fields["properties"]))},
    )


def way(visitor: str, names: str, step: float = 10) -> list[Touchpoint]:
    """Give one touchpoint for each letter, `step` seconds apart; a space is a pause."""
    return [seen(visitor, step * n, name) for n, name in enumerate(names) if name != " "]


def ask(client: Client, steps: str, span: Span = Span(), **more: Any) -> Answer:  # noqa: B008
    asked: dict[str, Any] = {"unit": "visitor", "window": MINUTE} | more
    return read_funnel(client, span, Question(steps=parse_steps(steps), **asked))


def counts(client: Client, steps: str, **more: Any) -> list[int]:
    return [step.count for step in ask(client, steps, **more).steps]


def by_value(answer: Answer) -> dict[str, list[int]]:
    return {part.value: [step.count for step in part.steps] for part in answer.parts}


# --- the three orders ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("names", "strict", "ordered", "unordered"),
    [
        ("ABC", 3, 3, 3),
        ("AXBC", 1, 3, 3),
        ("AABC", 3, 3, 3),
        ("ABBC", 2, 3, 3),
        ("ABXABC", 3, 3, 3),
        ("BAC", 1, 1, 3),
        ("CBA", 1, 1, 3),
        ("AC", 1, 1, 1),
        ("BC", 0, 0, 0),
    ],
)
def test_how_far_a_visitor_comes(
    client: Client, names: str, strict: int, ordered: int, unordered: int
) -> None:
    track(client, way("a", names))
    orders = ("strict", "ordered", "unordered")
    levels = [sum(counts(client, "A > B > C", order=order)) for order in orders]
    assert [strict, ordered, unordered] == levels


def test_the_window_is_from_the_first_to_the_last_step_and_its_edge_is_within(
    client: Client,
) -> None:
    track(client, [*way("a", "A  B  C"), *way("b", "A  B   C"), seen("c", 0, "A")])
    track(client, [seen("c", 60.001, "B"), seen("c", 60.001, "C")])
    for order in ("ordered", "strict", "unordered"):
        assert counts(client, "A > B > C", order=order) == [3, 2, 1]


def test_the_beginning_that_comes_furthest_counts(client: Client) -> None:
    track(client, way("a", "AB      A B C"))
    answer = ask(client, "A > B > C")
    assert [step.count for step in answer.steps] == [1, 1, 1]
    assert [step.median_seconds for step in answer.steps] == [None, 20, 20]


def test_the_last_beginning_before_a_step_and_the_first_step_after_it_tell_the_time(
    client: Client,
) -> None:
    track(client, way("a", "AA BB C"))
    assert [step.median_seconds for step in ask(client, "A > B > C").steps] == [None, 20, 30]


def test_in_any_order_a_step_that_was_there_already_takes_no_time(client: Client) -> None:
    track(client, way("a", "CA B"))
    waits = [step.median_seconds for step in ask(client, "A > B > C", order="unordered").steps]
    assert waits == [None, 20, 0]


@pytest.mark.parametrize("order", ["strict", "ordered", "unordered"])
def test_touchpoints_of_the_same_millisecond_stand_in_the_order_of_the_steps(
    client: Client, order: str
) -> None:
    track(client, [seen("a", 0, name) for name in "CXAB"])
    assert counts(client, "A > B > C", order=order) == [1, 1, 1]


def test_a_step_that_comes_again_needs_a_touchpoint_of_its_own(client: Client) -> None:
    track(client, [*way("a", "A"), *way("b", "ABA"), *way("c", "AA")])
    assert counts(client, "A > A") == [3, 2]
    assert counts(client, "A > A", order="strict") == [3, 1]
    assert counts(client, "A > A[channel=shop]", order="strict") == [3, 1]


# --- steps, filters and columns ------------------------------------------------------------------


def test_filters_narrow_by_columns_and_properties(client: Client) -> None:
    said = {"plan": "pro", "n": 7, "x": {"y": True}}
    track(
        client,
        [
            seen("a", 0, "A", channel="store", properties=said),
            seen("a", 1, "B"),
            seen("b", 0, "A", properties={"plan": "free"}),
            seen("b", 1, "B"),
        ],
    )
    for steps, expected in {
        "A > B": [2, 2],
        "A[channel=store] > B": [1, 1],
        "A[channel=shop] > B[channel=store]": [1, 0],
        "A[is_bot=false, properties.plan=pro] > B": [1, 1],
        "A[channel=shop, properties.plan=pro] > B": [0, 0],
        "A[properties.n=7] > B": [1, 1],
        "A[properties.x.y=true] > B": [1, 1],
        "A[properties.n=] > B": [1, 1],
    }.items():
        assert expected == counts(client, steps), steps


def test_whatever_a_user_writes_is_a_value_and_never_a_statement(client: Client) -> None:
    odd = 'It\'s \\ {a:String} "x" `y` -- ; DROP TABLE touchpoints 🛒'
    track(client, [seen("a", 0, odd, properties={odd.replace(".", ""): odd}), seen("a", 1, "B")])
    assert counts(client, f"{odd}[properties.{odd}={odd}] > B", by=f"properties.{odd}") == [1, 1]


@pytest.mark.parametrize(
    ("steps", "by", "says"),
    [
        ("A[chanel=shop] > B", "", "no column 'chanel': did you mean channel"),
        ("A > B", "plan", "no column 'plan': A property is written properties.plan; the columns"),
        ("A > B", "1) OR (1", "no column"),
        ("A > B", "properties.", "no column"),
        ("A > B", "properties.a..b", "no column"),
        ("A > B", "properties", "no column"),
    ],
)
def test_a_column_that_is_none_is_refused_with_those_there_are(
    client: Client, steps: str, by: str, says: str
) -> None:
    with pytest.raises(BadFunnel, match=says):
        ask(client, steps, by=by)


def test_20_steps_are_not_too_many(client: Client) -> None:
    names = [f"Step {number}" for number in range(20)]
    track(client, [seen("a", number, name) for number, name in enumerate(names)])
    for order in ("strict", "ordered", "unordered"):
        assert counts(client, " > ".join(names), order=order) == [1] * 20


# --- who, where and when -------------------------------------------------------------------------


def test_a_person_counts_over_its_visitors_a_visitor_over_its_sessions(client: Client) -> None:
    track(client, [seen("phone", 0, "A"), seen("desk", 3600, "B"), seen("desk", 7200, "C")])
    linked = [
        {"site": "shop", "visitor_id": visitor, "person_id": "ada", "kafka_partition": 0}
        for visitor in ("phone", "desk")
    ]
    insert_json(client, "identities", map(msgspec.json.encode, linked))
    window = timedelta(hours=2)
    assert counts(client, "A > B > C", unit="person", window=window) == [1, 1, 1]
    assert counts(client, "B > C", unit="visitor", window=window) == [1, 1]
    assert counts(client, "B > C", unit="session", window=window) == [1, 0]


def test_the_same_visitor_on_two_sites_is_two(client: Client) -> None:
    track(client, [seen("a", 0, "A"), seen("a", 1, "B", site="other")])
    assert counts(client, "A > B") == [1, 0]
    assert counts(client, "A > B", span=Span(site="other")) == [0, 0]


def test_only_touchpoints_of_the_span_count_and_its_end_is_not_in_it(client: Client) -> None:
    track(client, way("a", "ABC"))
    start, end = NOON, NOON + timedelta(seconds=20)
    assert counts(client, "A > B > C", span=Span(start=start, end=end)) == [1, 1, 0]
    assert counts(client, "A > B > C", span=Span(start=end)) == [0, 0, 0]


# --- broken down ---------------------------------------------------------------------------------


def test_a_part_is_who_had_the_value_at_the_first_step(client: Client) -> None:
    track(
        client,
        [
            *(seen("a", 0, "A", channel="store"), seen("a", 1, "B")),
            *(seen("b", 0, "A"), seen("b", 1, "B", channel="store")),
            seen("c", 0, "A", channel=""),
            seen("d", 0, "B", channel="phone"),
        ],
    )
    answer = ask(client, "A > B", by="channel")
    assert by_value(answer) == {"": [1, 0], "shop": [1, 1], "store": [1, 1]}
    assert [(step.reach, step.count) for step in answer.steps] == [(3, 3), (3, 2)]


def test_the_first_step_is_that_of_the_beginning_that_comes_furthest(client: Client) -> None:
    ways = [("A", "mail"), ("A", "shop"), ("B", ""), ("A", "store")]
    track(client, [seen("a", n, name, channel=channel) for n, (name, channel) in enumerate(ways)])
    for order in ("strict", "ordered", "unordered"):
        assert by_value(ask(client, "A > B", by="channel", order=order)) == {"shop": [1, 1]}


def test_parts_by_a_property_are_the_largest_first_and_the_rest_is_counted(client: Client) -> None:
    values = [str(number) for number in range(MOST_VALUES + 3)]
    track(client, [seen(value, 0, "A", properties={"plan": value}) for value in values])
    track(client, [seen("again", 1, "A", properties={"plan": "7"})])
    answer = ask(client, "A > B", by="properties.plan")
    assert list(by_value(answer).items())[:2] == [("7", [2, 0]), ("0", [1, 0])]
    assert (len(answer.parts), answer.parts_left_out) == (MOST_VALUES, 3)


# --- the command ---------------------------------------------------------------------------------


def command(client: Client, engine: EngineServer, *arguments: str) -> Result:
    settings = {"TOUCHSTREAM_CLICKHOUSE_URL": engine.url}
    settings["TOUCHSTREAM_CLICKHOUSE_DATABASE"] = str(client.database)
    return CliRunner().invoke(main, ["funnel", *arguments], env=settings)


def test_the_command_asks_for_all_that_it_is_told(client: Client, engine: EngineServer) -> None:
    track(client, [seen("a", 0, "A"), seen("a", 60, "B"), seen("b", 0, "A", site="other")])
    asked = ["A > B", "--order", "strict", "--unit", "session", "--window", "1m", "--by", "channel"]
    span = ["--site", "shop", "--from", "2025-03-01", "--to", "2025-03-02"]
    said = msgspec.json.decode(command(client, engine, *asked, *span, "--format", "json").stdout)
    expected = ask(
        client,
        "A > B",
        Span(site="shop", start=NOON.replace(hour=0), end=NOON.replace(day=2, hour=0)),
        order="strict",
        unit="session",
        by="channel",
    )
    assert said == msgspec.json.decode(as_json(expected))
    assert [step["count"] for step in said["steps"]] == [1, 1]


def test_the_command_takes_persons_in_order_within_14_days_and_prints_a_table(
    client: Client, engine: EngineServer
) -> None:
    track(client, [seen("a", 0, "A"), seen("a", 60, "B")])
    printed = command(client, engine, "A > B").stdout
    assert printed.splitlines()[0] == "all sites, by person, in this order, within 14d"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["A"], "Error: a funnel has 2 to 20 steps, this one has 1"),
        (["A > B", "--window", "1y"], "Error: '1y' is not a window"),
        (["A > B", "--by", "chanel"], "did you mean channel"),
        (["A > Order Complete"], "no touchpoint 'Order Complete'; did you mean Order Completed"),
        (["A[channel=shopp] > B"], "no channel 'shopp'; did you mean shop"),
        (["A > B", "--site", "shpo"], "no site 'shpo'; did you mean shop"),
        (["A > B", "--from", "2025-03-02", "--to", "2025-03-01"], "before it begins"),
    ],
)
def test_the_command_ends_with_a_sentence_and_2_if_it_cannot_be_asked(
    client: Client, engine: EngineServer, arguments: list[str], says: str
) -> None:
    track(client, [seen("a", 0, "A"), seen("a", 60, "B")])
    result = command(client, engine, *arguments)
    assert (result.exit_code, says in result.stderr) == (2, True)


# --- numbers and their look ----------------------------------------------------------------------


def test_shares_losses_median_and_p90_of_the_time_between_steps(client: Client) -> None:
    for seconds in (1, 2, 3, 5):
        track(client, way(f"after {seconds}", "AB", step=seconds))
    track(client, [*way("only A", "A"), *way("only B", "B")])
    assert ask(client, "A > B").steps == (
        Reached("A", 5, 5, None, None, None, None, None),
        Reached("B", 5, 4, 0.8, 0.8, 1, 2.5, 4.4),
    )


def test_without_touchpoints_everything_is_nothing(client: Client) -> None:
    answer = ask(client, "A > B", by="channel")
    assert answer.steps == (
        Reached("A", 0, 0, None, None, None, None, None),
        Reached("B", 0, 0, None, None, 0, None, None),
    )
    assert (answer.parts, answer.parts_left_out) == ((), 0)


def test_the_json_says_what_was_asked_and_found(client: Client) -> None:
    track(client, way("a", "AB"))
    said = msgspec.json.decode(as_json(ask(client, "A > B[channel=shop]", by="device")))
    assert (said["unit"], said["order"], said["window_seconds"]) == ("visitor", "ordered", 60.0)
    assert said["steps"][1] == {
        "step": "B[channel=shop]",
        "reach": 1,
        "count": 1,
        "of_first": 1.0,
        "of_previous": 1.0,
        "lost": 0,
        "median_seconds": 10.0,
        "p90_seconds": 10.0,
    }
    assert [part["value"] for part in said["parts"]] == [""]


@pytest.mark.parametrize("width", [80, 120])
def test_the_table_says_how_it_was_read_and_shows_every_step(client: Client, width: int) -> None:
    track(client, [*way("a", "AB"), *way("b", "A")])
    lines = printed(ask(client, "A > B", by="channel", span=Span(site="shop")), width)
    assert lines[0] == "shop, by visitor, in this order, within 1m"
    assert "channel = shop" in lines
    assert lines[-1].split()[:-1] == ["B", "1", "1", "50.0", "%", "50.0", "%", "1", "10s", "10s"]
    assert lines[-2].split()[:-1] == ["A", "2", "2"]
    assert 0 < lines[-1].count("█") < lines[-2].count("█")


def test_the_filters_of_a_step_and_values_with_brackets_are_printed_as_they_are(
    client: Client,
) -> None:
    track(client, [seen("a", 0, "A", properties={"plan": "[b]x[/b]"})])
    lines = printed(ask(client, "A[channel=shop] > B", by="properties.plan"), 120)
    assert "properties.plan = [b]x[/b]" in lines
    assert "A[channel=shop]" in (line.split("  ")[0] for line in lines)


def printed(answer: Answer, width: int) -> list[str]:
    console = Console(width=width)
    with console.capture() as capture:
        console.print(render(answer))
    return [line.rstrip() for line in capture.get().splitlines()]


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (None, ""),
        (0, "0s"),
        (0.44, "0.4s"),
        (59.9, "59.9s"),
        (60, "1m"),
        (310.4, "5m 10s"),
        (3600, "1h"),
        (7199.9, "2h"),
        (93_600, "1d 2h"),
        (86_400 * 14 + 59, "14d"),
    ],
)
def test_a_time_is_said_in_its_two_largest_units(seconds: float | None, said: str) -> None:
    assert said == duration(seconds)
