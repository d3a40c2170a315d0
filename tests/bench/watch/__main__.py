"""How good the alerts are: weeks with and without drops, against the limit and against others.

    python -m tests.bench.watch [--quick] [--seed 1] [--rates 10 100 1000] [--weeks 6] [--times 20]

Writes build/watch.json and prints it as a table.
"""

import argparse
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from tests.bench.watch import others
from tests.bench.watch.runs import Lab, faulty, lab, limit_of, quiet, shares
from tests.bench.watch.shapes import shapes
from tests.bench.watch.traffic import DAY, WEEK, Fault, Shop, Step

OUTPUT = Path(__file__).parents[3] / "build/watch.json"
_LEARNED = 4 * WEEK

CASES = {
    "outage": Fault(step=2, start=0, depth=1.0),
    "-50 %": Fault(step=2, start=0, depth=0.5),
    "one browser": Fault(step=2, start=0, depth=1.0, dimension="browser", value="Safari"),
    "one channel": Fault(step=2, start=0, depth=1.0, dimension="channel", value="direct"),
    "cart -50 %": Fault(step=0, start=0, depth=0.5),
    "slow decay": Fault(step=2, start=0, depth=0.5, decay=DAY // 2),
    "-20 %": Fault(step=2, start=0, depth=0.2),
}
"""What goes wrong; of the decay the full depth comes after twelve hours."""


def main() -> None:
    """Run what was asked for."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true", help="a week, three times each")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rates", type=float, nargs="*", default=[10, 100, 1000])
    parser.add_argument("--weeks", type=int, default=6)
    parser.add_argument("--times", type=int, default=20)
    asked = parser.parse_args()
    if asked.quick:
        asked.weeks, asked.times = 1, 3
    result = measure(asked.rates, asked.weeks, asked.times, asked.seed)
    OUTPUT.parent.mkdir(exist_ok=True)
    OUTPUT.write_text(json.dumps(result, indent=1))
    show(result)


def measure(rates: list[float], weeks: int, times: int, seed: int) -> dict[str, Any]:
    """Give the figures of each shop: generated ones of these rates, and shapes of real ones."""
    chosen = {f"{rate:g} a minute": Shop(rate=rate) for rate in rates} | shapes()
    result: dict[str, Any] = {"seed": seed, "weeks": weeks, "times": times, "shops": {}}
    with Progress(console=Console(stderr=True)) as progress:
        task = progress.add_task("Weeks and faults", total=len(chosen) * (weeks + len(CASES)))
        for name, shop in chosen.items():
            here = lab(shop, weeks, seed)
            result["shops"][name] = _of_shop(here, weeks, times, lambda: progress.advance(task))
    return result


def _of_shop(here: Lab, weeks: int, times: int, advance: Any) -> dict[str, Any]:
    false = dict.fromkeys(("touchstream", *others.NAMES), 0)
    for week in range(weeks):
        found, steps = quiet(here, week)
        false["touchstream"] += len(found)
        for name, count in _false_of_others(here, steps).items():
            false[name] += count
        advance()
    cases = {}
    for name, case in CASES.items():
        cases[name] = _of_case(here, case, weeks, times)
        advance()
    return {
        "slices": here.slices,
        "false_alerts_a_week": {name: count / weeks for name, count in false.items()},
        "cases": cases,
    }


def _false_of_others(here: Lab, steps: list[Step]) -> dict[str, int]:
    false = dict.fromkeys(others.NAMES, 0)
    for number in range(len(steps)):
        now = _hourly(here, steps, number)
        for name, fires in others.alarms(here.hourly[number], now).items():
            false[name] += others.begins(fires)
    return false


def _hourly(here: Lab, steps: list[Step], number: int) -> Any:
    step, cells = steps[number], len(here.shop.cells)
    hours = len(step.entries) // 60
    entries = step.entries[: hours * 60].reshape(hours, 60, cells).sum(axis=1)
    gone = step.cohort[: hours * 60].reshape(hours, 60, cells, -1).sum(axis=1)
    return shares(here.rates[number].slices, here.shop, entries, gone)


def _of_case(here: Lab, case: Fault, weeks: int, times: int) -> dict[str, Any]:
    delays, limits, is_right = [], [], []
    by_others: dict[str, list[float]] = {name: [] for name in others.NAMES}
    for _ in range(times):
        start = int(here.rng.integers(_LEARNED + DAY, _LEARNED + weeks * WEEK - DAY)) // 60 * 60
        fault = replace(case, start=start)
        found, steps = faulty(here, fault)
        limits.append(limit_of(here, fault))
        if found:
            delays.append(found.minute - start + 1)
            is_right.append(
                found.step == fault.step and tuple(found.where) == (fault.dimension, fault.value)
            )
        for name, delay in _delays_of_others(here, steps, fault).items():
            by_others[name].append(delay)
    median = here.shop.median_minutes[case.step]
    return _summary(case, delays, limits, is_right, median) | {
        "others": {name: _found(d) for name, d in by_others.items()}
    }


def _delays_of_others(here: Lab, steps: list[Step], fault: Fault) -> dict[str, float]:
    now = _hourly(here, steps, fault.step)
    before = 6
    complete = now[:, : now.shape[1] - 1]
    found = {}
    for name, fires in others.alarms(here.hourly[fault.step], complete).items():
        hours = np.flatnonzero(fires[:, before:].any(axis=0))
        found[name] = float(hours[0] * 60 + others.COMPLETE) if len(hours) else np.inf
    return found


def _found(delays: list[float]) -> dict[str, float | int | None]:
    within = [delay for delay in delays if delay < DAY]
    return {"found": len(within), "delay": float(np.mean(within)) if within else None}


def _summary(
    case: Fault,
    delays: list[int],
    limits: list[float],
    is_right: list[bool],
    median: float,
) -> dict[str, Any]:
    bound = float(np.mean(limits))
    allowed = 2.5 * bound if case.depth < 0.5 else 1.5 * bound + median + 1
    delay = float(np.mean(delays)) if delays else None
    return {
        "limit": bound,
        "delay": delay,
        "times_the_limit": delay / bound if delay else None,
        "allowed": allowed,
        "recall": len(delays) / len(limits),
        "right_slice_first": sum(is_right) / len(is_right) if is_right else None,
    }


def show(result: dict[str, Any]) -> None:
    """Print the figures."""
    console = Console(width=150)
    for shop, figures in result["shops"].items():
        false = figures["false_alerts_a_week"]
        told = ", ".join(f"{name} {count:.2f}" for name, count in false.items())
        table = Table(title=f"{shop}, {figures['slices']} slices; false alerts a week: {told}")
        for column in ("case", "limit", "delay", "/ limit", "allowed", "recall", "right slice"):
            table.add_column(column, justify="right")
        for name in others.NAMES:
            table.add_column(f"{name} (found)", justify="right")
        for name, case in figures["cases"].items():
            table.add_row(name, *_cells(case, result["times"]))
        console.print(table)


def _cells(case: dict[str, Any], times: int) -> list[str]:
    numbers = ("limit", "delay", "times_the_limit", "allowed", "recall", "right_slice_first")
    form = ("{:.1f}", "{:.1f}", "{:.2f}", "{:.1f}", "{:.0%}", "{:.0%}")
    own = [
        "-" if case[key] is None else shape.format(case[key])
        for key, shape in zip(numbers, form, strict=True)
    ]
    theirs = [
        f"{o['delay']:.0f} ({o['found']}/{times})" if o["delay"] else "-"
        for o in case["others"].values()
    ]
    return own + theirs


if __name__ == "__main__":
    main()
