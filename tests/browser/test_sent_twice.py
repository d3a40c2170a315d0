"""What a page really sends twice counts twice, though nothing in it tells one from the other."""

import json
from pathlib import Path

from schemas.topics import RAW
from tests.clients.run import staged
from tests.support.topics import read

_TRACK = """
async ([url, name, times, pause, waits]) => {
  const body = JSON.stringify({ n: name, u: location.href, d: "shop.example" });
  for (let n = 0; n < times; n++) {
    const sent = fetch(`${url}/api/event`, { method: "POST", body, keepalive: true });
    if (waits) await (await sent).text();
    if (pause) await new Promise((done) => setTimeout(done, pause));
  }
  await new Promise((done) => setTimeout(done, 300));
}
"""
ACTS = {
    "a loop": (3, 0, False),
    "a loop that waits": (3, 0, True),
    "a double click": (2, 150, False),
    "a click, and a second later another": (2, 1000, False),
    "a loop, and one more": (4, 0, False),
}


async def test_what_a_page_sends_twice_counts_twice(tmp_path: Path) -> None:
    async with staged({"shop.example": "shop"}, tmp_path) as stage:
        page = await (await stage.browser.new_context()).new_page()
        await page.goto(f"{stage.pages}/chair")
        for name, (times, pause, waits) in ACTS.items():
            await page.evaluate(_TRACK, [stage.collector.url, name, times, pause, waits])
        rows = [json.loads(value) for _, value in await read(stage.broker, RAW.name)]
    ids = {name: {row["touchpoint_id"] for row in rows if row["name"] == name} for name in ACTS}
    assert {name: times for name, (times, _, _) in ACTS.items()} == {
        name: len(found) for name, found in ids.items()
    }
