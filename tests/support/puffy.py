"""What any correct import and report of the puffy exports must say, and where the exports stand.

The figures were computed twice outside this project, with pandas and with SQL.
"""

from decimal import Decimal
from pathlib import Path

import pytest

from pipeline.reports.overview.answer import (
    FUNNEL,
    Buried,
    Funnel,
    Report,
    Revenue,
    Share,
)

DATA = Path(__file__).parents[3] / "shared" / "data"
MAPPINGS = Path(__file__).parents[2] / "docs" / "mappings"

ROWS = 33_008
TOUCHPOINTS = 31_731
VISITORS = 24_108
SESSIONS = 25_921
SINGLE_TOUCHPOINT_SESSIONS = 22_913
RETURNING_VISITORS = 1_331

BY_VISITOR = Funnel(
    unit="visitor",
    steps=FUNNEL,
    reach=(12_095, 1_324, 473, 187),
    closed=(12_095, 509, 109, 75),
    ordered=(12_095, 397, 92, 75),
    cart_abandonment=Share(1_222, 1_324, 1_222 / 1_324),
    checkout_abandonment=Share(390, 473, 390 / 473),
)
BY_SESSION = Funnel(
    unit="session",
    steps=FUNNEL,
    reach=(12_772, 1_381, 491, 189),
    closed=(12_772, 444, 102, 67),
    ordered=(12_772, 350, 92, 67),
    cart_abandonment=Share(1_288, 1_381, 1_288 / 1_381),
    checkout_abandonment=Share(410, 491, 410 / 491),
)
TOTAL = Decimal("191645.40")
REVENUE = (Revenue("", 190, TOTAL, touchpoints=193, refunded=Decimal(0), net=TOTAL),)
DEAD_LETTERS = (Buried(stage="import", reason="no_visitor_id", count=1_277),)


def data_files(pattern: str) -> list[Path]:
    """Give the files of real data, or skip the test."""
    paths = sorted(DATA.glob(pattern))
    if not paths:
        pytest.skip(f"the real data is not part of the project: no {pattern} in ../shared/data")
    return paths


def puffy_files() -> list[Path]:
    """Give the nine exports, in order of their days, or skip the test."""
    return data_files("puffy/*.csv.gz")


def assert_puffy(report: Report) -> None:
    """Hold every figure of a report of the puffy exports, and of nothing else, to the answers."""
    assert (report.touchpoints, report.late) == (TOUCHPOINTS, 0)
    assert (report.visitors, report.sessions) == (VISITORS, SESSIONS)
    assert report.by_visitor == BY_VISITOR
    assert report.by_session == BY_SESSION
    assert report.revenue == REVENUE
    assert report.dead_letters == DEAD_LETTERS
