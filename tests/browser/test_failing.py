"""The SDKs of browsers on a way that fails, the short form of `make clients`.

All SDKs send at the same time, each through a proxy of its own. While they send, they get 503, then
no connection, then no answers, then the browser is offline. In a second round the page is closed in
the middle, and opened again.
"""

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.clients.clients import BEACON, Client
from tests.clients.install import put_scripts
from tests.clients.run import IN_TURN, Pace, Run, staged
from tests.support.sdks import npm_folder

PACE = Pace(events=24, every_ms=250, before=1, lasts=1)
SDKS = {
    "beacon": BEACON,
    "segment": Client("Segment", "browser", "segment", "@segment/analytics-next", ""),
    "rudderstack": Client("RudderStack", "browser", "rudderstack", "@rudderstack/analytics-js", ""),
    "snowplow": Client("Snowplow", "browser", "snowplow", "@snowplow/browser-tracker", ""),
    "posthog": Client("PostHog", "browser", "posthog", "posthog-js", ""),
}

Runs = dict[tuple[str, str], Run]


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def runs() -> AsyncIterator[Runs]:
    """All SDKs, by name and by what goes wrong."""
    found = {
        (name, fault): Run(client, fault, f"{name}-{number}", sent=PACE.events)
        for name, client in SDKS.items()
        for number, fault in enumerate((IN_TURN, "closed"))
    }
    npm = await npm_folder()
    put_scripts(npm)
    async with staged({run.key: run.site for run in found.values()}, npm) as stage:
        stage.pace = PACE
        await stage.install(SDKS.values())
        for fault in (IN_TURN, "closed"):
            playing = [run for run in found.values() if run.fault == fault]
            await asyncio.gather(*map(stage.play, playing))
        await stage.judge(list(found.values()))
    yield found


@pytest.mark.parametrize("sdk", SDKS)
def test_whatever_goes_wrong_every_event_arrives_once_and_right(sdk: str, runs: Runs) -> None:
    run = runs[sdk, IN_TURN]
    assert run.problem == ""
    assert sorted(run.arrived) == sorted(f"Event {n}" for n in range(1, PACE.events + 1))
    assert run.is_whole, (run.wrongs, run)


@pytest.mark.parametrize("sdk", SDKS)
def test_of_a_page_that_is_closed_all_that_reached_us_arrives_once(sdk: str, runs: Runs) -> None:
    run = runs[sdk, "closed"]
    assert run.problem == ""
    assert run.passed
    assert run.is_whole, (run.wrongs, run)


def test_the_beacon_loses_nothing_when_its_page_is_closed(runs: Runs) -> None:
    run = runs["beacon", "closed"]
    assert len(run.arrived) >= run.sent > 0
