"""KPIs of real files: the views give the answers that were computed outside this project."""

# ruff: noqa: S608 - no text but our own.

from collections.abc import Iterator
from decimal import Decimal

import pytest
from clickhouse_connect.driver.client import Client
from msgspec.structs import replace

from tests.support.database import migrated_database, track, track_fully
from tests.support.engine import EngineServer
from tests.support.imported import imported
from tests.support.puffy import RETURNING_VISITORS, SESSIONS, puffy_files
from tests.support.puffy_people import people_of
from tests.support.stories import rows, whole


@pytest.fixture
def client(engine: EngineServer) -> Iterator[Client]:
    with migrated_database(engine) as client:
        yield client


def asked(client: Client, name: str, **values: str) -> str:
    [(site,)] = rows(client, "SELECT DISTINCT site FROM touchpoints")
    return whole(name, site=site, **values)


def kpi(client: Client, name: str) -> tuple[object, ...]:
    statement = f"SELECT observations, round(value, 2) FROM {asked(client, 'kpis', kpi=name)}"
    [found] = rows(client, statement)
    return found


async def test_answers_to_a_survey_give_the_net_promoter_score_of_each_phase(
    client: Client,
) -> None:
    track(client, await imported("nps", "nps/*.csv"))
    assert kpi(client, "nps") == (2_353, -24.69)
    by_phase = (
        f"SELECT slice, round(value, 2) FROM {asked(client, 'kpi_by', kpi='nps', by='phase')}"
    )
    assert dict(rows(client, by_phase)) == {
        "Order": -9.98,
        "Equipment Received": -56.71,
        "First Payment": -29.29,
        "Service in Use": -76.67,
    }


async def test_orders_of_a_till_give_repeat_purchase_lifetime_value_and_rhythm(
    client: Client,
) -> None:
    track(client, await imported("cdnow", "cdnow/*.txt.gz"))
    assert kpi(client, "repeat_purchase_rate") == (23_570, 48.86)
    assert kpi(client, "customer_lifetime_value") == (23_570, 106.08)  # 2,500,315.63 ÷ 23,570
    rhythm = "SELECT medianExactIf(days_since_previous, days_since_previous > 0) FROM"
    rhythm = f"{rhythm} {asked(client, 'purchases')}"
    assert rows(client, rhythm) == [(34,)]
    revenue = f"SELECT currency, sum(revenue) FROM {asked(client, 'purchases')} GROUP BY currency"
    assert rows(client, revenue) == [("USD", Decimal("2500315.63"))]


async def test_exports_of_a_shop_give_visits_returns_and_abandoned_carts(client: Client) -> None:
    # The answers count bots too; without a user agent nobody is taken for one.
    everybody = [replace(t, user_agent="") for t in await imported("puffy", "puffy/*.csv.gz")]
    track_fully(client, everybody)
    assert kpi(client, "visits") == (SESSIONS, SESSIONS)
    visits = dict(
        rows(client, "SELECT visitor_id, count() FROM sessions FINAL GROUP BY visitor_id")
    )
    assert sum(count > 1 for count in visits.values()) == RETURNING_VISITORS
    # People come back as well who left the same address on two devices.
    people = people_of(puffy_files())
    alone = visits.keys() - {visitor for person in people for visitor in person}
    came = [visits[visitor] for visitor in alone]
    came += [sum(visits[visitor] for visitor in person) for person in people]
    returned = sum(count > 1 for count in came)
    assert kpi(client, "returning_visitors")[1] == returned
    assert kpi(client, "cart_abandonment_rate") == (1_381, 93.27)
    assert kpi(client, "session_conversion_rate") == (SESSIONS, 0.73)  # 189 ÷ 25,921
