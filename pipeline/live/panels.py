"""The panels of the page: which question each asks, and how often at most.

The same list serves the page, the JSON API and CSV.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from clickhouse_connect.driver.client import Client

from pipeline.reports.journey_map.answer import MapCell, read_map
from pipeline.reports.live import (
    abandoned,
    alerts,
    feed,
    key_figures,
    newsletter,
    orders,
    phases,
    places,
    steps,
    traffic,
)
from pipeline.reports.live.view import View

Steps = Sequence[str]
"""The funnel of the model that is shown."""


Lane = Literal["newest", "fast", "slow"]


@dataclass(frozen=True)
class Panel:
    """A question, the shape of its rows, and the least number of seconds between two answers.

    Panels of one lane are asked one after the other, and do not wait for those of another lane.
    """

    name: str
    about: str
    row: type
    read: Callable[[Client, View, Steps], Sequence[Any]]
    pace: float = 1.0

    @property
    def lane(self) -> Lane:
        """What has just arrived, what is asked all the time, or what is asked now and then."""
        if self.row in (feed.Arrived, feed.Refused):
            return "newest"
        return "fast" if self.pace < _SLOW_SECONDS else "slow"


_SLOW_SECONDS = 5.0
_USUAL_SECONDS = 300.0


def _plain(read: Callable[[Client, View], Sequence[Any]]) -> Callable[..., Sequence[Any]]:
    """Adapt a question that needs no funnel to a panel."""

    def read_it(client: Client, view: View, _steps: Steps) -> Sequence[Any]:
        return read(client, view)

    return read_it


def _map(client: Client, view: View) -> Sequence[MapCell]:
    return read_map(client, view, model=view.model, segment=view.segment).cells


PANELS = {
    panel.name: panel
    for panel in (
        Panel("alerts", "What is unusual", alerts.Alert, _plain(alerts.read_alerts), 2),
        Panel("funnel", "How many people came how far", steps.Step, steps.read_steps),
        Panel("phases", "Where people are now", phases.PhaseNow, _plain(phases.read_phases), 2),
        Panel("abandoned", "What was left behind", abandoned.Left, _plain(abandoned.read_left), 2),
        Panel("orders", "Orders and revenue", orders.Money, _plain(orders.read_orders), 2),
        Panel("arrived", "The newest touchpoints", feed.Arrived, _plain(feed.read_arrived), 0.5),
        Panel("refused", "The newest dead letters", feed.Refused, _plain(feed.read_refused)),
        Panel("traffic", "What brings visits", traffic.Traffic, _plain(traffic.read_traffic), 5),
        Panel(
            "usual_funnel",
            "Which share usually goes on at this hour",
            steps.UsualStep,
            steps.read_usual_steps,
            _USUAL_SECONDS,
        ),
        Panel(
            "usual_abandoned",
            "How many people usually leave something behind at this hour",
            abandoned.UsuallyLeft,
            _plain(abandoned.read_usually_left),
            _USUAL_SECONDS,
        ),
        Panel(
            "usual_orders",
            "Which orders and revenue are usual at this hour",
            orders.UsualMoney,
            _plain(orders.read_usual_orders),
            _USUAL_SECONDS,
        ),
        Panel(
            "funnel_lines",
            "How many people came how far, over three spans",
            steps.StepLine,
            steps.read_step_lines,
            60,
        ),
        Panel("map", "The journey map", MapCell, _plain(_map), 10),
        Panel("weak", "Weak points", places.WeakPoint, _plain(places.read_weak_points), 10),
        Panel(
            "crossings", "Changes of channel", places.Crossing, _plain(places.read_crossings), 10
        ),
        Panel(
            "mailings", "The newsletter", newsletter.Mailing, _plain(newsletter.read_mailings), 10
        ),
        Panel(
            "touchpoints",
            "KPIs of each touchpoint",
            key_figures.TouchpointFigures,
            _plain(key_figures.read_touchpoint_figures),
            20,
        ),
        Panel("kpis", "KPIs", key_figures.KeyFigure, _plain(key_figures.read_key_figures), 60),
        Panel(
            "kpi_lines",
            "KPIs of the last 28 days",
            key_figures.KeyLine,
            _plain(key_figures.read_key_lines),
            _USUAL_SECONDS,
        ),
    )
}
