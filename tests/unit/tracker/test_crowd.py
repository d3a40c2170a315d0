"""Somebody with more touchpoints than can stay open: what is set aside depends on the log alone."""

from random import Random

import pytest

from tests.support.journeys import HOUR, MINUTE, NOON
from tests.support.tracker import Log, Worker, touchpoint
from tests.unit.tracker.test_crashes import differences

LONG = "https://shop.example/" + "x" * 3000
NAMES = ("Page Viewed", "Product Added", "Checkout Started", "Order Completed")


def crowd(random: Random) -> Log:
    """Make a log in which one visitor does more than half of all, and nothing comes in order."""
    log = Log()
    places = list(range(400))
    random.shuffle(places)
    for place in places:
        who = "ada" if place % 3 else "bob"
        at = NOON + place * MINUTE
        name = NAMES[place % len(NAMES)]
        log.say(touchpoint(f"t{place}", at, anonymous_id=who, name=name, url=LONG), NOON + 7 * HOUR)
    return log


def fates(log: Log, chunks: list[int]) -> tuple[int, list[str]]:
    worker, set_aside = Worker(log), 0
    for most in chunks:
        worker.work(most)
        set_aside += worker.pending[-1].fates["set_aside"] if worker.pending else 0
        worker.hurry()
        if most % 2:
            worker.send()
    worker.finish()
    late = [row["touchpoint_id"] for row in worker.tables.of("touchpoints") if row["is_late"]]
    assert differences(worker) == []
    return set_aside, late


@pytest.mark.parametrize("seed", range(5))
def test_checkpoints_make_no_difference_to_what_is_set_aside(seed: int) -> None:
    log = crowd(Random(seed))  # noqa: S311 - not for secrets
    at_once, late = fates(log, [400])
    assert at_once == len(late) > 0
    assert fates(Log([*log.records]), [7] * 60)[1] == late


@pytest.mark.parametrize("seed", range(5))
def test_a_crash_anywhere_makes_no_difference_either(seed: int) -> None:
    random = Random(seed)  # noqa: S311 - not for secrets
    worker = Worker(crowd(random))
    for _ in range(30):
        worker.work(random.randrange(1, 60))
        match random.randrange(4):
            case 0:
                worker.send()
            case 1:
                worker.die(random.randrange(200), is_compacted=random.random() < 0.5)
            case 2:
                worker.hurry()
    worker.finish()
    assert differences(worker) == []
