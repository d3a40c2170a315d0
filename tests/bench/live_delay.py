"""How long a touchpoint takes from the shop to the live page, on the embedded stack.

python -m tests.bench.live_delay [--times 20] [--people 300] [--follow 0]

Starts `touchstream up` in a temporary folder, sends what some people do in six hours, and then one
touchpoint after the other while a page is open. The time runs from before the call to the collector
until the page's stream tells of the touchpoint; and until it tells of the visit it is part of.
With `--follow N`, other people do N things a second meanwhile.
"""

import argparse
import asyncio
import random
import tempfile
from pathlib import Path
from statistics import median
from time import perf_counter

from tests.support.live_stack import Watching, live_stack, others


async def _measured(page: Watching, times: int) -> tuple[list[float], list[float]]:
    arrived, judged = [], []
    for number in range(times):
        await asyncio.sleep(random.random())  # noqa: S311 - at no particular moment of any pace
        began = perf_counter()
        await page.say(f"delay-{number}")
        async with asyncio.timeout(120):
            await page.until_arrived(f"delay-{number}")
            arrived.append(perf_counter() - began)
            await page.until_arrived(f"delay-{number}", is_judged=True)
        judged.append(perf_counter() - began)
    return arrived, judged


async def _main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", default=20, type=int)
    parser.add_argument("--people", default=300, type=int)
    parser.add_argument("--follow", default=0.0, type=float)
    told = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        async with live_stack(Path(folder), people=told.people) as page, others(page, told.follow):
            arrived, judged = await _measured(page, told.times)
    for name, found in (("arrived", arrived), ("in a visit", judged)):
        print(f"{name:14} median {median(found):5.2f} s, worst of {len(found)} {max(found):5.2f} s")


if __name__ == "__main__":
    asyncio.run(_main())
