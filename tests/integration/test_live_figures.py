"""The live page says what SQL, `touchstream report` and `touchstream map` say, and every number
leads to as many people as it counts. Shown on simulated shoppers of six hours.
"""

import csv
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import pytest_asyncio
from clickhouse_connect.driver.client import Client

from pipeline.live.panels import PANELS
from pipeline.reports.journey_map.answer import read_map
from pipeline.reports.live.steps import read_step_lines, read_steps, read_usual_steps
from pipeline.reports.live.view import View
from pipeline.reports.overview.answer import Report, read_report
from pipeline.reports.span import Span
from schemas.journeys import load_models
from tests.support.database import track_fully
from tests.support.engine import EngineServer
from tests.support.live import SITE, Serving, columns, serving, simulated
from tests.support.stories import library

NOON = datetime(2026, 3, 5, 12, tzinfo=UTC)
MODELS = load_models(["lifecycle"])
DAY = {"from": (NOON - timedelta(hours=24)).isoformat(), "to": NOON.isoformat()}


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def shop(engine: EngineServer) -> AsyncIterator[tuple[Serving, Client]]:
    """A shop of 150 people, and nothing of anybody else's."""
    with library(engine) as client:
        track_fully(client, simulated(150, NOON - timedelta(hours=6), NOON))
        async with serving(client, clock=lambda: NOON, journey_models=["lifecycle"]) as live:
            yield live, client


def report_of(client: Client) -> Report:
    span = Span(site=SITE, start=NOON - timedelta(hours=24), end=NOON)
    return read_report(client, span, steps=MODELS[0].funnel, models=MODELS)


async def test_the_funnel_counts_as_the_report_does(shop: tuple[Serving, Client]) -> None:
    live, client = shop
    steps = await live.rows("funnel", **DAY)
    assert [step["people"] for step in steps[1:]] == [*report_of(client).by_visitor.closed]
    assert [step["gone_on"] for step in steps[1:-1]] == [step["people"] for step in steps[2:]]
    assert steps[0]["people"] >= steps[1]["people"] > 0
    lines = await live.rows("funnel_lines", **DAY)
    assert [(each["step"], each["line"][-1]) for each in lines] == [
        (step["step"], [step["people"], step["gone_on"]]) for step in steps
    ]


def test_a_visit_stands_before_the_funnel_unless_it_is_a_step_of_it(
    shop: tuple[Serving, Client],
) -> None:
    _, client = shop
    view = View(site=SITE, model="lifecycle", start=NOON - timedelta(hours=24), end=NOON)
    for steps in (("Product Viewed", "Order Completed"), ("Page Viewed", "Product Viewed")):
        shown = read_steps(client, view, steps)
        assert [each.step for each in shown] == list(dict.fromkeys(("Page Viewed", *steps)))
        assert [each.gone_on for each in shown[:-1]] == [each.people for each in shown[1:]]
        lines = read_step_lines(client, view, steps)
        assert [line.line[-1] for line in lines] == [(each.people, each.gone_on) for each in shown]
        assert [each.step for each in read_usual_steps(client, view, steps)] == [
            each.step for each in shown[:-1]
        ]


async def test_people_are_in_the_phases_of_the_report(shop: tuple[Serving, Client]) -> None:
    live, client = shop
    now = {row["phase"]: row["people"] for row in await live.rows("phases", **DAY) if row["people"]}
    assert now == {each.phase: each.people for each in report_of(client).phases}
    rows = await live.rows("phases", **DAY)
    assert all(sum(row["line"]) >= row["came"] for row in rows)  # some came back within a day


async def test_orders_are_those_of_the_report(shop: tuple[Serving, Client]) -> None:
    live, client = shop
    said = columns(await live.rows("orders", **DAY), "currency", "orders", "amount", "net")
    assert said == [
        (r.currency, r.orders, float(r.amount), float(r.net)) for r in report_of(client).revenue
    ]
    [money] = await live.rows("orders", **DAY)
    assert money["line"][-1] == pytest.approx(money["net"])


async def test_what_was_left_behind_is_that_of_the_report(shop: tuple[Serving, Client]) -> None:
    live, client = shop
    reported = report_of(client).abandoned
    left = {row["kind"]: row for row in await live.rows("abandoned", **DAY)}
    for kind in {each.kind for each in reported}:
        sql = (
            "SELECT uniqExact(person_id), uniqExactIf(person_id, recovered_at IS NULL),"
            " sumIf(value, recovered_at IS NULL) FROM abandonments FINAL WHERE kind = {kind:String}"
        )
        [(people, waiting, at_stake)] = client.query(sql, parameters={"kind": kind}).result_rows
        found = left[kind]
        assert (found["people"], found["waiting"], found["at_stake"]) == (
            people,
            waiting,
            float(at_stake),
        )


async def test_the_map_is_that_of_the_command(shop: tuple[Serving, Client]) -> None:
    live, client = shop
    span = Span(site=SITE, start=NOON - timedelta(hours=24), end=NOON)
    cells = read_map(client, span, model="lifecycle").cells
    names = ("phase", "channel", "people", "went_on", "median_seconds", "pain_points")
    said = columns(await live.rows("map", **DAY), *names)
    assert sorted(said, key=str) == sorted(
        (tuple(getattr(cell, name) for name in names) for cell in cells), key=str
    )


async def numbers(live: Serving) -> list[tuple[int, dict[str, str]]]:
    """Give what the page counts, and the question for the people behind it."""
    steps, left, cells, crossings, flow, kpis, phases, money, weak, mailings = [
        await live.rows(panel, **DAY)
        for panel in (
            *("funnel", "abandoned", "map", "crossings", "touchpoints", "kpis", "phases"),
            *("orders", "weak", "mailings"),
        )
    ]
    found = [(row["people"], {"of": "orders", "currency": row["currency"]}) for row in money]
    found += [
        (row[name], {"of": "phase", "what": row["phase"], "where": name})
        for row in phases
        for name in ("came", "went_on")
    ]
    found += [
        (row[name], {"of": "place", "what": row["place"], "where": where})
        for row in weak[:3]
        for name, where in (("people", ""), ("lost", "abandonment"))
    ]
    found += [
        (row[name], {"of": "mailing", "what": row["campaign"], "where": name})
        for row in mailings[:2]
        for name in ("delivered", "opened", "clicked", "carts", "orders", "unsubscribed")
    ]
    found += people_left(left)
    found += [(row["people"], {"of": "step", "what": row["step"]}) for row in steps]
    found += [
        (row["people"] - row["gone_on"], {"of": "step", "what": row["step"], "where": "lost"})
        for row in steps[:-1]
    ]
    found += [(row["people"], {"of": "phase", "what": row["phase"]}) for row in phases]
    found += [
        (cell["people"], {"of": "cell", "what": cell["phase"], "where": cell["channel"]})
        for cell in cells[:4]
    ]
    found += [
        (row["people"], {"of": "crossing", "what": row["from_channel"], "where": row["to_channel"]})
        for row in crossings[:2]
    ]
    found += [
        (row["people"], {"of": "touchpoint", "what": row["name"], "where": row["channel"]})
        for row in flow[:2]
    ]
    return found + [(row["people"], {"of": "kpi", "what": row["kpi"]}) for row in kpis[:4]]


def people_left(left: list[dict[str, Any]]) -> list[tuple[int, dict[str, str]]]:
    names = {"people": "", "waiting": "waiting", "won_people": "won"}
    return [
        (
            row[name],
            {"of": "left", "what": row["kind"], "where": where, "currency": row["currency"]},
        )
        for row in left
        for name, where in names.items()
    ]


async def test_every_number_leads_to_as_many_people(shop: tuple[Serving, Client]) -> None:
    live, _ = shop
    asked = await numbers(live)
    assert len(asked) > 60
    for people, behind in asked:
        status, found = await live.get("/api/people", **DAY, **behind)
        assert (status, found["total"]) == (200, people), behind


async def test_a_person_is_all_its_devices_sessions_and_phases(
    shop: tuple[Serving, Client],
) -> None:
    live, client = shop
    _, found = await live.get("/api/people", **DAY, of="orders")
    somebody = found["people"][0]
    _, person = await live.get("/api/person", **DAY, person=somebody["person_id"])
    assert len(person["visits"]) == somebody["sessions"]
    assert len(person["touchpoints"]) == somebody["touchpoints"]
    assert person["moves"][-1]["to_phase"] == somebody["phase"]
    assert sum(visit["orders"] for visit in person["visits"]) == somebody["orders"] > 0
    text = str(person)
    sql = "SELECT DISTINCT visitor_id, user_id FROM touchpoints WHERE user_id != ''"
    for visitor, user in client.query(sql).result_rows:
        assert visitor not in text
        assert user not in text


@pytest.mark.parametrize("panel", PANELS)
async def test_every_table_is_there_as_csv(panel: str, shop: tuple[Serving, Client]) -> None:
    live, _ = shop
    rows = await live.rows(panel, **DAY)
    async with live.session.get(f"{live.url}/api/{panel}.csv", params=DAY) as answer:
        text = await answer.text()
        assert "attachment" in answer.headers["Content-Disposition"]
    written = list(csv.DictReader(text.splitlines(keepends=True)))
    assert len(written) == len(rows)
    for row, line in zip(rows, written, strict=True):
        for name, value in line.items():
            if isinstance(row[name], str) and "T" not in row[name]:
                assert value.removeprefix("'") == row[name]


async def test_a_channel_and_a_segment_narrow_every_panel(shop: tuple[Serving, Client]) -> None:
    live, _ = shop
    for panel in PANELS:
        assert isinstance(await live.rows(panel, **DAY, channel="shop"), list), panel
        assert isinstance(await live.rows(panel, **DAY, segment="Group B"), list), panel
    everybody = (await live.rows("funnel", **DAY))[0]["people"]
    in_shop = (await live.rows("funnel", **DAY, channel="shop"))[0]["people"]
    bouncers = (await live.rows("funnel", **DAY, segment="Group B"))[0]["people"]
    assert 0 < in_shop < everybody
    assert 0 < bouncers < everybody
