"""What arrived in the last minutes, and what became of it: bounded, and shown to nobody else."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from pipeline.collector.answers import Problem, TurnedAway
from pipeline.collector.arrival import Arrival
from pipeline.collector.collect import MOST_TOLD, Collected, collect
from pipeline.collector.intake import Intake, Limits
from pipeline.collector.recent import Asker, Recent
from pipeline.collector.request import Request
from pipeline.collector.vocabularies import segment
from schemas.calls import Seen
from schemas.codec import encode

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
GOOD = {"type": "track", "event": "X", "anonymousId": "a"}
BAD = {"type": "track", "anonymousId": "a"}

intake = Intake(Limits(bytes=32_768, depth=8, age=timedelta(days=30)))


def collected(*calls: dict[str, Any], site: str = "shop", at: datetime = NOON) -> Collected:
    request = Request(body=json.dumps({"batch": calls}).encode())
    arrival = Arrival(site, at, ip="192.0.2.0", path="/v1/batch")
    return collect(request, segment.BATCH, arrival, intake, 1000)


def seen(recent: Recent, site: str = "shop", **more: Any) -> list[dict[str, Any]]:
    """Ask, and hold the answer against its contract."""
    now = more.pop("now", NOON)
    told = json.loads(encode(recent.of(Asker(site, **more), now)))
    Seen.model_validate({"site": site, "minutes": 10, "requests": told})
    return told  # type: ignore[no-any-return]


def test_one_sees_what_became_of_each_request_the_newest_first() -> None:
    recent = Recent(timedelta(hours=24))
    for number, calls in enumerate(([GOOD], [GOOD, BAD], [BAD], [GOOD])):
        at = NOON - timedelta(seconds=9 - number)
        recent.note(collected(*calls, at=at), is_kept=number != 3)
    told = [(each["outcome"], each["accepted"]) for each in seen(recent)]
    assert [("unavailable", 0), ("refused", 0), ("partly", 1), ("taken", 1)] == told
    [refused] = seen(recent)[1]["refused"]
    assert (0, "missing_field", "a track call names its `event`") == tuple(refused.values())
    [touchpoint] = seen(recent)[3]["touchpoints"]
    assert ("X", "a", "") == tuple(touchpoint[k] for k in ("name", "anonymous_id", "user_id"))


def test_another_site_sees_nothing_of_it() -> None:
    recent = Recent(timedelta(hours=24))
    recent.note(collected(GOOD), is_kept=True)
    assert [] == seen(recent, "blog", network="192.0.2.0")


def test_what_was_turned_away_sees_the_network_that_sent_it_and_the_site_of_its_page() -> None:
    recent = Recent(timedelta(hours=24))
    why = TurnedAway(Problem.UNKNOWN_WRITE_KEY, "no write key")
    recent.note_turned_away(why, NOON, "/v1/track", "192.0.2.0", "https://shop.example")
    [told] = seen(recent, network="192.0.2.0")
    assert ("turned_away", "unknown_write_key", "https://shop.example") == (
        *(told["outcome"], told["error"], told["origin"]),
    )
    assert 1 == len(seen(recent, origins={"https://shop.example"}))
    assert [] == seen(recent, network="198.51.100.0", origins={"https://blog.example"})
    assert [] == seen(recent)


def test_whose_it_was_is_shown_where_the_key_said_so() -> None:
    recent = Recent(timedelta(hours=24))
    why = TurnedAway(Problem.KEY_EXPIRED, "until yesterday", site="shop")
    recent.note_turned_away(why, NOON, "/v1/track", "", None)
    assert ["key_expired"] == [each["error"] for each in seen(recent)]
    assert [] == seen(recent, "blog")


def test_who_may_see_all_sites_sees_what_is_nobodys() -> None:
    recent = Recent(timedelta(hours=24))
    why = TurnedAway(Problem.UNKNOWN_WRITE_KEY, "no write key")
    recent.note_turned_away(why, NOON, "/v1/track", "192.0.2.0", None)
    assert ["unknown_write_key"] == [each["error"] for each in seen(recent, sees_all=True)]
    assert [] == seen(recent)


def test_each_touchpoint_has_a_note_of_what_will_become_of_it() -> None:
    recent = Recent(timedelta(hours=24))
    bot = {"context": {"userAgent": "curl/8.5.0"}}
    old = {"timestamp": (NOON - timedelta(hours=25)).isoformat()}
    for more, is_kept in (({}, False), ({}, True), ({}, True), (bot, True), (old, True)):
        name = "Z" if more else "X"
        call = GOOD | {"messageId": name + str(more), "sentAt": NOON.isoformat()} | more
        recent.note(collected(call), is_kept=is_kept)
    diverted = collected(GOOD | {"messageId": "y"})
    diverted.divert()
    recent.note(diverted, is_kept=True)
    notes = [each["touchpoints"][0]["notes"] for each in seen(recent)]
    assert [["waits"], ["late"], ["bot"], ["repeated"], [], []] == notes


def test_after_ten_minutes_it_is_forgotten() -> None:
    recent = Recent(timedelta(hours=24))
    recent.note(collected(GOOD), is_kept=True)
    assert 1 == len(seen(recent, now=NOON + timedelta(minutes=10)))
    assert [] == seen(recent, now=NOON + timedelta(minutes=10, seconds=1))


def test_whatever_is_sent_memory_is_bounded() -> None:
    recent = Recent(timedelta(hours=24))
    many = collected(*[GOOD] * 50, *[BAD] * 50)
    for _ in range(300):
        recent.note(many, is_kept=True)
    told = seen(recent)
    assert 100 == len(told)
    assert {(MOST_TOLD, MOST_TOLD)} == {
        (len(each["touchpoints"]), len(each["refused"])) for each in told
    }
    why = TurnedAway(Problem.NOT_FOUND, "x" * 10_000)
    for _ in range(2_000):
        recent.note_turned_away(
            why, NOON, "/" + "x" * 10_000, "192.0.2.0", "https://" + "x" * 9_999
        )
    away = [each for each in seen(recent, network="192.0.2.0") if each["outcome"] == "turned_away"]
    assert 1_000 == len(away)
    assert {200} == {len(each[field]) for each in away for field in ("path", "detail", "origin")}


def test_a_hundred_sites_are_remembered_those_heard_last() -> None:
    recent = Recent(timedelta(hours=24))
    for number in range(150):
        recent.note(collected(GOOD, site=f"site-{number}"), is_kept=True)
    assert [0, 1] == [len(seen(recent, site)) for site in ("site-49", "site-50")]
