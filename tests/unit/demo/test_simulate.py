"""Simulated people do what real ones do, and their calls are sent as by any other sender."""

from base64 import b64decode
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from itertools import takewhile

import msgspec
import pytest
from aiohttp import web
from rich.progress import Progress

from pipeline.collector.arrival import Arrival
from pipeline.collector.intake import Intake, Limits
from pipeline.demo.simulate import SimulationFailed, SimulationSummary, simulate
from pipeline.demo.simulation.calls import endless_journeys, journeys
from pipeline.demo.simulation.personas import PERSONAS, crawler
from pipeline.demo.simulation.shopper import Call
from pipeline.tracker.enrich import read_user_agent
from schemas.journeys import load_model
from schemas.touchpoint import Touchpoint

END = datetime(2026, 1, 5, 18, tzinfo=UTC)
START = END - timedelta(hours=6)
INTAKE = Intake(Limits(bytes=32_768, depth=8, age=timedelta(days=30)))
CALLS = list(journeys(1, 1000, START, END))


def persona_of(call: Call) -> str:
    return str(call["context"]["traits"]["persona"])


def touchpoint(call: Call) -> Touchpoint:
    arrival = Arrival(site="demo", received_at=END, user_agent="")
    return INTAKE.touchpoint(msgspec.json.encode(call), arrival)


def test_the_same_arguments_give_the_same_calls() -> None:
    assert list(journeys(1, 1000, START, END)) == CALLS


@pytest.mark.parametrize(("seed", "start"), [(2, START), (1, START + timedelta(seconds=1))])
def test_another_seed_or_start_gives_other_people(seed: int, start: datetime) -> None:
    others = {call["anonymousId"] for call in journeys(seed, 1000, start, END)}
    assert others & {call["anonymousId"] for call in CALLS} == set()


def test_calls_come_in_order_of_time_and_within_the_window() -> None:
    times = [call["timestamp"] for call in CALLS]
    assert sorted(times) == times
    assert START <= times[0]
    assert times[-1] < END


def test_everybody_who_comes_is_seen() -> None:
    assert len({call["anonymousId"] for call in CALLS}) == 1000


def test_no_two_calls_have_the_same_id() -> None:
    assert len({call["messageId"] for call in CALLS}) == len(CALLS)


def test_every_persona_comes() -> None:
    assert {persona.name for persona in PERSONAS} == set(map(persona_of, CALLS))


def test_the_collector_takes_every_call_at_the_time_it_tells() -> None:
    taken = [touchpoint(call).occurred_at for call in CALLS]
    assert [call["timestamp"] for call in CALLS] == taken


def test_every_event_is_one_that_the_lifecycle_knows() -> None:
    model = load_model("lifecycle")
    known = {name for rule in model.rules for name in rule.touchpoints}
    known |= {name for cause in model.causes for name in cause.touchpoints}
    known |= {name for r in model.abandonment for name in (*r.opens, *r.ends, *r.gives_up)}
    assert {call["event"] for call in CALLS if call["type"] == "track"} - known == set()


def test_people_meet_the_shop_in_many_channels() -> None:
    channels = Counter(touchpoint(call).channel for call in CALLS)
    assert {"website", "shop", "newsletter", "ads", "store", "delivery", "survey"} <= set(channels)
    assert {"support", "review"} & set(channels)


def test_nobody_s_address_is_sent_in_what_becomes_a_touchpoint() -> None:
    identified = [touchpoint(call) for call in CALLS if call["type"] == "identify"]
    assert identified
    assert [point for point in identified if b"@" in bytes(point.properties)] == []


def test_an_order_is_worth_what_was_put_into_the_cart_by_somebody_known() -> None:
    bags: Counter[str] = Counter()
    for call in CALLS:
        who, properties = call["anonymousId"], call.get("properties", {})
        if call.get("event") == "Product Added":
            bags[who] += round(100 * properties["price"] * properties["quantity"])
        elif call.get("event") == "Order Completed":
            assert (call["userId"] > "", bags.pop(who)) == (
                True,
                round(100 * properties["revenue"]),
            )


def test_crawlers_and_only_crawlers_are_taken_for_bots() -> None:
    agents = [(persona_of(c), c["context"]["userAgent"]) for c in CALLS if c["type"] == "page"]
    bots = {persona for persona, agent in agents if read_user_agent(agent).is_bot}
    people = {persona for persona, agent in agents if not read_user_agent(agent).is_bot}
    assert bots == {persona.name for persona in PERSONAS if persona.live is crawler}
    assert people == {persona.name for persona in PERSONAS} - bots


def test_endless_journeys_begin_with_the_same_past() -> None:
    endless = endless_journeys(1, 1000, START, END, rate=1.0)
    assert list(takewhile(lambda call: call["timestamp"] < END, endless)) == CALLS


def test_endless_journeys_reach_their_rate_after_an_hour() -> None:
    calls = endless_journeys(1, 0, END, END, rate=1.0)
    until = END + timedelta(hours=6)
    hours = Counter(
        call["timestamp"].hour for call in takewhile(lambda c: c["timestamp"] < until, calls)
    )
    assert 0.8 * 3600 < sum(hours[hour] for hour in (20, 21, 22, 23)) / 4 < 1.2 * 3600


@asynccontextmanager
async def a_collector(*answers: web.Response) -> AsyncIterator[tuple[str, list[web.Request]]]:
    """A server that gives one answer after the other, then 200; and what it was asked."""
    ahead, requests = list(answers), []

    async def answer(request: web.Request) -> web.Response:
        await request.read()
        requests.append(request)
        return ahead.pop(0) if ahead else web.json_response({"success": True})

    application = web.Application()
    application.router.add_post("/v1/batch", answer)
    runner = web.AppRunner(application)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}", requests
    finally:
        await runner.cleanup()


async def send_to(url: str, people: int = 20) -> SimulationSummary:
    return await simulate(
        url,
        "wk_demo",
        people=people,
        seed=1,
        hours=6,
        follow_rate=None,
        progress=Progress(disable=True),
    )


def user_name_in(authorization: str) -> str:
    return b64decode(authorization.removeprefix("Basic ")).decode().removesuffix(":")


async def sent_in(request: web.Request) -> list[Call]:
    batch: list[Call] = (await request.json())["batch"]
    return batch


async def test_calls_are_sent_in_batches_of_a_hundred_with_the_write_key_as_user_name() -> None:
    async with a_collector() as (url, requests):
        summary = await send_to(url, people=40)
        sizes = [len(await sent_in(request)) for request in requests]
        users = {user_name_in(request.headers["Authorization"]) for request in requests}
    assert sizes[:-1] == [100] * (len(sizes) - 1)
    assert (summary.people, summary.touchpoints) == (40, sum(sizes))
    assert users == {"wk_demo"}


@pytest.mark.parametrize("status", [503, 429])
async def test_a_batch_that_the_collector_cannot_take_now_is_sent_again(status: int) -> None:
    later = web.Response(status=status, headers={"Retry-After": "0"})
    async with a_collector(later) as (url, requests):
        await send_to(url)
        first, second, *_ = [await sent_in(request) for request in requests]
    assert first == second


@pytest.mark.parametrize(
    ("status", "answer", "reason"),
    [
        (401, {"error": "unknown_write_key"}, "unknown_write_key"),
        (400, {"error": "not_json"}, "not_json"),
        (200, {"success": True, "refused": [{"error": "too_large"}]}, "too_large"),
    ],
)
async def test_a_refusal_ends_it_with_the_collector_s_reason(
    status: int, answer: dict[str, object], reason: str
) -> None:
    async with a_collector(web.json_response(answer, status=status)) as (url, requests):
        with pytest.raises(SimulationFailed, match=reason):
            await send_to(url)
        assert len(requests) == 1
