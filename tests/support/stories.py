"""Small stories in ClickHouse, row by row, for views whose answers are computed by hand.

Times are minutes after `NOON`. Visitors are their own persons unless `person` says otherwise.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from clickhouse_connect.driver.client import Client

from schemas.journeys import JourneyModel, load_model
from schemas.questions import questions
from sinks.models import store_models
from tests.support.database import insert_json, migrated_database
from tests.support.engine import EngineServer

SITE = "shop"
NOON = datetime(2025, 3, 1, 12, tzinfo=UTC)
LIFECYCLE = load_model("lifecycle")
DAY = 24 * 60
"""In minutes."""


class Seen(NamedTuple):
    """A touchpoint."""

    minutes: float
    name: str
    channel: str = "shop"
    path: str = ""
    properties: dict[str, Any] = {}  # noqa: RUF012 - it is never changed
    columns: dict[str, Any] = {}  # noqa: RUF012


@contextmanager
def library(engine: EngineServer, *models: JourneyModel) -> Iterator[Client]:
    """A client in a new database that knows `models`, or the lifecycle."""
    with migrated_database(engine) as client:
        store_models(client, models or [LIFECYCLE])
        yield client


def at(minutes: float) -> datetime:
    """Give the time so many minutes after noon."""
    return NOON + timedelta(minutes=minutes)


def seen(minutes: float, name: str, channel: str = "shop", path: str = "", **said: Any) -> Seen:
    """Make a touchpoint that says `said` in its properties."""
    return Seen(minutes, name, channel, path, said)


def order(minutes: float, order_id: str, revenue: float, channel: str = "shop") -> Seen:
    """Make an order in euros."""
    told = {"order_event": "completed", "order_id": order_id, "currency": "EUR"}
    return Seen(minutes, "Order Completed", channel, "", {}, told | {"revenue": revenue})


def visit(client: Client, visitor: str, *touchpoints: Seen, **session: Any) -> None:
    """Write touchpoints of a visitor, in order of time, and the session that they are."""
    first, last = touchpoints[0], touchpoints[-1]
    is_bot = session.get("is_bot", False)
    write(client, "touchpoints", *(_touchpoint(visitor, one, is_bot) for one in touchpoints))
    row = {
        "session_id": f"{visitor} {first.minutes}",
        "visitor_id": visitor,
        "person_id": visitor,
        "started_at": at(first.minutes),
        "ended_at": at(last.minutes),
        "touchpoints": len(touchpoints),
        "channel": first.channel,
        "steps": sorted({one.name for one in touchpoints}),
        "orders_told": sum(one.name == "Order Completed" for one in touchpoints),
    }
    write(client, "sessions", row | session)


def _touchpoint(visitor: str, one: Seen, is_bot: bool) -> dict[str, Any]:
    return {
        "touchpoint_id": f"{visitor} {one.minutes} {one.name}",
        "type": "page" if one.name == "Page Viewed" else "track",
        "name": one.name,
        "channel": one.channel,
        "visitor_id": visitor,
        "occurred_at": at(one.minutes),
        "path": one.path,
        "is_bot": is_bot,
        "properties": json.dumps(one.properties),
        **one.columns,
    }


def move(client: Client, person: str, minutes: float, phase: str, **columns: Any) -> None:
    """Write that a person enters `phase` of the lifecycle; forward unless `kind` says otherwise."""
    row = {
        "transition_id": f"{person} {minutes} {phase}",
        "touchpoint_id": f"{person} {minutes} {phase}",
        "model": "lifecycle",
        "person_id": person,
        "visitor_id": person,
        "cycle": 1,
        "to_phase": phase,
        "kind": "forward",
        "at": at(minutes),
        "channel": "shop",
    }
    write(client, "transitions", row | columns)


def give_up(client: Client, person: str, kind: str, step: str, **columns: Any) -> None:
    """Write that a person abandoned something, which was opened at noon."""
    row = {
        "abandonment_id": f"{person} {kind}",
        "model": "lifecycle",
        "kind": kind,
        "person_id": person,
        "visitor_id": person,
        "step": step,
        "opened_at": at(0),
        "last_touchpoint_at": at(10),
        "abandoned_at": at(40),
        "currency": "EUR",
    }
    write(client, "abandonments", row | columns)


def write(client: Client, table: str, *rows: dict[str, Any]) -> None:
    """Insert rows; columns that are not named have ClickHouse's defaults."""
    lines = (json.dumps({"site": SITE} | row, default=datetime.isoformat) for row in rows)
    insert_json(client, table, (line.encode() for line in lines))


def whole(name: str, **values: Any) -> str:
    """Give what stands for a question after FROM: of all time, of everybody, of the lifecycle."""
    known = {"site": SITE, "start": "1970-01-02", "end": "2100-01-01", "model": "lifecycle"}
    known |= {"channel": "", "segment": "", "kpi": "", "by": "group"}
    told = known | {"most": 1000, "days": 30, "step": 86400, "person": ""} | values
    given = (f"{one} = {told[one]!r}" for one in questions()[name].parameters)
    return f"{name}({', '.join(given)})"


def rows(client: Client, statement: str) -> list[tuple[Any, ...]]:
    """Give the answer of a statement; times with their zone, as `at` gives them."""
    found = client.query(statement).result_rows
    return [tuple(_zoned(cell) for cell in row) for row in found]


def _zoned(cell: object) -> object:
    return cell.replace(tzinfo=UTC) if isinstance(cell, datetime) else cell
