"""Three more real files of quite different make: their touchpoints hold the known answers."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import partial
from itertools import pairwise
from statistics import median
from typing import Any

import msgspec
import pytest
from rich.progress import Progress

from pipeline.importer import access_log
from pipeline.importer.files import log_lines
from pipeline.importer.send import import_files
from pipeline.journey.facts import Facts
from pipeline.journey.fold import replay
from pipeline.journey.rules import compile_rules
from pipeline.journey.state import Evidence
from pipeline.kafka.in_memory import MemoryBroker
from pipeline.kafka.records import Record
from pipeline.privacy.pseudonyms import Pseudonyms
from pipeline.tracker.enrich import read_user_agent
from schemas.facts import Transition
from schemas.journeys import load_model
from schemas.times import DAY_MS, milliseconds
from schemas.topics import DEAD_LETTERS, RAW
from schemas.touchpoint import Touchpoint
from tests.support.database import touchpoints_in
from tests.support.imported import imported
from tests.support.puffy import data_files


async def logged() -> tuple[list[Touchpoint], list[Record]]:
    """Give the touchpoints of the access log, and its dead letters."""
    broker = MemoryBroker(partition_count=1)
    visitor_of = partial(Pseudonyms("s" * 32).network_address, "log")
    await import_files(
        data_files("access_log/*.gz"),
        access_log.MAPPING,
        broker,
        site="log",
        now=lambda: datetime(2026, 1, 1, tzinfo=UTC),
        progress=Progress(disable=True),
        read=partial(log_lines, row_of=partial(access_log.row_of, visitor_of=visitor_of)),
    )
    return touchpoints_in(broker.records(RAW.name)), broker.records(DEAD_LETTERS.name)


def said(touchpoint: Touchpoint) -> dict[str, Any]:
    properties: dict[str, Any] = msgspec.json.decode(touchpoint.properties)
    return properties


# --- mails: sent, opened, clicked ----------------------------------------------------------------


@pytest.fixture(scope="module")
async def mails() -> dict[str, list[str]]:
    """What happened to each user, in order of time."""
    happened = defaultdict(list)
    for mail in await imported("yammer", "yammer_email/*.csv.gz"):
        happened[mail.user_id].append(f"{mail.name} {said(mail).get('campaign_id', '')}".strip())
    return happened


DIGEST, REMINDER = "Email Sent weekly_digest", "Email Sent reengagement"
OPENED, CLICKED = "Email Opened", "Email Link Clicked"


async def test_mails_of_four_months_are_counted_by_kind(mails: dict[str, list[str]]) -> None:
    everything = [name for names in mails.values() for name in names]
    kinds = (DIGEST, REMINDER, OPENED, CLICKED)
    assert [everything.count(kind) for kind in kinds] == [57_267, 3_653, 20_459, 9_010]


async def test_the_funnel_of_a_newsletter_is_reached_and_ordered_by_user(
    mails: dict[str, list[str]],
) -> None:
    steps = (DIGEST, OPENED, CLICKED)
    assert len(mails) == 6_179
    assert [sum(step in names for names in mails.values()) for step in steps] == [
        4_111,
        5_927,
        5_277,
    ]
    levels = [ordered(names, steps) for names in mails.values()]
    assert [sum(level > step for level in levels) for step in range(3)] == [4_111, 3_922, 3_145]


def ordered(names: Iterable[str], steps: tuple[str, ...]) -> int:
    """Say how many of `steps` come in this order."""
    level = 0
    for name in names:
        if level < len(steps) and name == steps[level]:
            level += 1
    return level


# --- a web server's log ---------------------------------------------------------------------------


async def test_a_log_gives_visitors_and_sessions_by_address_and_keeps_no_address() -> None:
    lines, letters = await logged()
    times = defaultdict(list)
    for line in lines:
        times[line.anonymous_id].append(line.occurred_at)
    pauses = [b - a for seen in times.values() for a, b in pairwise(sorted(seen))]
    sessions = len(times) + sum(pause > timedelta(minutes=30) for pause in pauses)
    assert (9_999, 1_753, 3_052, 1) == (len(lines), len(times), sessions, len(letters))
    everything = b"".join(msgspec.json.encode(line) for line in lines)
    everything += letters[0].value or b""
    assert b"83.149.9.216" not in everything
    assert b"46.118.127.106" not in everything


async def test_crawlers_in_a_log_are_flagged_by_their_user_agent() -> None:
    lines, _ = await logged()
    bots = {line.user_agent for line in lines if read_user_agent(line.user_agent).is_bot}
    assert any("Googlebot" in agent for agent in bots)
    assert not any("Firefox/28.0" in agent for agent in bots)


# --- orders of a till ----------------------------------------------------------------------------


async def test_orders_of_customers_give_repurchase_revenue_and_cycle() -> None:
    days = defaultdict(set)
    revenue = Decimal()
    for order in await imported("cdnow", "cdnow/*.txt.gz"):
        days[order.user_id].add(order.occurred_at.date())
        revenue += Decimal(str(said(order)["revenue"]))
    gaps = [(b - a).days for seen in days.values() for a, b in pairwise(sorted(seen))]
    assert len(days) == 23_570
    assert sum(len(seen) > 1 for seen in days.values()) == 11_516
    assert revenue == Decimal("2500315.63")
    assert median(gaps) == 34


async def test_whoever_buys_on_two_days_is_on_the_second_cycle_of_favorability() -> None:
    rules = compile_rules([load_model("favorability")])
    orders = defaultdict(list)
    for order in await imported("cdnow", "cdnow/*.txt.gz"):
        at = milliseconds(order.occurred_at)
        orders[order.user_id].append(Evidence(at, order.touchpoint_id, order.name))
    cycles = Counter[int]()
    for who, evidence in orders.items():
        facts = replay(evidence, 0, Facts("cdnow", who, 0, rules)).values()
        cycles[max(fact.cycle for fact in facts if isinstance(fact, Transition))] += 1
    days = Counter(len({seen.at // DAY_MS for seen in evidence}) for evidence in orders.values())
    assert cycles == days
    assert cycles.total() - cycles[1] == 11_516


# --- answers to a survey -------------------------------------------------------------------------


async def test_answers_of_a_survey_give_the_net_promoter_score_of_each_phase() -> None:
    scores = defaultdict(list)
    for answer in await imported("nps", "nps/*.csv"):
        if "score" in said(answer):
            scores[said(answer)["phase"]].append(said(answer)["score"])
    everything = [score for of_phase in scores.values() for score in of_phase]
    assert (len(everything), net_promoters(everything)) == (2_353, -24.69)
    assert {phase: net_promoters(of_phase) for phase, of_phase in scores.items()} == {
        "Order": -9.98,
        "Equipment Received": -56.71,
        "First Payment": -29.29,
        "Service in Use": -76.67,
    }


def net_promoters(scores: list[int]) -> float:
    promoters = sum(score >= 9 for score in scores) - sum(score <= 6 for score in scores)
    return round(100 * promoters / len(scores), 2)
