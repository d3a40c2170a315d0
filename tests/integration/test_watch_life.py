"""Ordinary life of shops and of the line, on the real engine: what is told, and what is not."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal, cast

import pytest
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import DatabaseError

from pipeline.roles.watch.loop import Rounds
from pipeline.roles.watch.reader import Reader
from pipeline.settings import Settings
from schemas.alert import Alert
from schemas.times import milliseconds
from schemas.watch import Period, WatchRules
from tests.support.backtests import LAST_STEP, RULES, about, broken, fired
from tests.support.database import migrated_database
from tests.support.engine import EngineServer
from tests.support.visits import STEPS, Visit, Visits

HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)
START = datetime(2026, 3, 2, tzinfo=UTC)
NOW = START + timedelta(days=8, hours=12)
LIVED = NOW - 5 * HOUR
"""What is before this is the same in all tests but those that begin later."""


@pytest.fixture(scope="module")
def database(engine: EngineServer) -> Iterator[Client]:
    """A shop that has lived eight days as usual, aside."""
    with migrated_database(engine) as client:
        for number in range(9):
            day = START + number * timedelta(days=1)
            Visits().fill(client, day, min(day + timedelta(days=1), LIVED))
        for table in ("touchpoints", "sessions"):
            client.command(f"CREATE TABLE lived_{table} ENGINE = Memory AS SELECT * FROM {table}")  # noqa: S608
        yield client


@pytest.fixture
def client(database: Client) -> Client:
    """Empty tables."""
    for table in ("touchpoints", "sessions", "alerts", "watch_states"):
        database.command(f"TRUNCATE TABLE {table}")
    return database


def live(
    client: Client, where: str = "1", shift: timedelta = timedelta(), site: str = "shop"
) -> None:
    """Let the shop have lived eight days as usual, or what is so `where`, `shift` later."""
    for table, time in (("touchpoints", "occurred_at"), ("sessions", "started_at")):
        moved = f"{time} + INTERVAL {int(shift.total_seconds())} SECOND AS {time}"
        client.command(
            f"INSERT INTO {table} SELECT * REPLACE ({moved}, '{site}' AS site) "  # noqa: S608
            f"FROM lived_{table} WHERE {where.replace('AT', time)}"
        )


def rounds(client: Client) -> Rounds:
    async def nobody(now: datetime) -> datetime:
        return now

    return Rounds(client, Settings(), STEPS, nobody)


def kept(client: Client) -> list[tuple[str, int, str]]:
    found = client.query("SELECT alert_id, version, state FROM alerts ORDER BY version").result_rows
    return [(str(a), int(v), str(s)) for a, v, s in found]


def conversions(alerts: list[Alert]) -> list[Alert]:
    return [alert for alert in alerts if alert.kind == "conversion"]


def test_a_restart_in_the_middle_repeats_nothing_and_loses_nothing(client: Client) -> None:
    start = NOW - 3 * HOUR
    live(client)
    broken(start, start + HOUR).fill(client, LIVED, NOW)
    told: list[Alert] = []
    once = rounds(client)
    once.judge(start)
    once.remember()
    for minutes in range(10, 190, 30):  # a new process every half an hour
        again = rounds(client)
        told += again.judge(start + timedelta(minutes=minutes))
        again.remember()
    assert len({(a.alert_id, a.version) for a in told}) == len(told)
    assert [a.state for a in told if a.kind == "conversion"][-1] == "resolved"
    assert len({a.alert_id for a in conversions(told)}) == 1
    assert len(set(kept(client))) == len(kept(client))


def opened(client: Client) -> list[Alert]:
    """Have an alert fire and be remembered, by a process that ends then."""
    live(client)
    broken(NOW - HOUR, NOW).fill(client, LIVED, NOW)
    watching = rounds(client)
    watching.judge(NOW - 2 * HOUR)
    told = watching.judge(NOW)
    watching.remember()
    assert [alert.state for alert in told] == ["firing"]
    return told


def states(client: Client) -> list[tuple[str]]:
    found = client.query("SELECT state FROM alerts FINAL ORDER BY alert_id").result_rows
    return [(str(state),) for (state,) in found]


def test_an_open_alert_whose_question_nobody_asks_any_more_is_over(
    client: Client, tmp_path: Path
) -> None:
    [alert] = opened(client)
    rules = tmp_path / "rules.toml"
    rules.write_text('[[questions]]\nkind = "silence"\n')

    async def nobody(now: datetime) -> datetime:
        return now

    again = Rounds(client, Settings(watch_rules=rules), STEPS, nobody)
    told = [*again.judge(NOW + MINUTE), *again.judge(NOW + 2 * MINUTE)]
    again.remember()
    assert [(a.alert_id, a.state, a.version) for a in told] == [
        (alert.alert_id, "resolved", alert.version + 1)
    ]
    assert again.judge(NOW + 3 * MINUTE) == []
    assert states(client) == [("resolved",)]
    assert "no longer watched" in told[0].title


def test_an_open_alert_of_a_shop_to_which_nobody_comes_for_weeks_is_over(client: Client) -> None:
    [alert] = opened(client)
    told = rounds(client).judge(NOW + timedelta(days=29))
    assert [(a.alert_id, a.state) for a in told] == [(alert.alert_id, "resolved")]
    assert states(client) == [("resolved",)]


def test_an_open_alert_whose_memory_is_lost_is_over(client: Client) -> None:
    [alert] = opened(client)
    client.command("TRUNCATE TABLE watch_states")
    again = rounds(client)
    told = [each for after in (1, 2, 3) for each in again.judge(NOW + after * MINUTE)]
    assert [(a.alert_id, a.state) for a in told] == [(alert.alert_id, "resolved")]


def test_an_alert_that_another_process_has_just_opened_is_left_alone(client: Client) -> None:
    live(client)
    broken(NOW - HOUR, NOW).fill(client, LIVED, NOW)
    slow, quick = rounds(client), rounds(client)
    slow.judge(NOW - 2 * HOUR)
    slow.judge(NOW - 2 * HOUR + MINUTE)
    quick.judge(NOW - 2 * HOUR)
    assert [a.state for a in quick.judge(NOW)] == ["firing"]
    assert slow.judge(NOW - 2 * HOUR + 2 * MINUTE) == []
    assert states(client) == [("firing",)]


def test_judged_again_it_has_the_same_ids(client: Client) -> None:
    live(client)
    broken(NOW - HOUR, NOW).fill(client, LIVED, NOW)
    first, second = (fired(client, NOW - 2 * HOUR, NOW) for _ in range(2))
    assert first == second != []


def test_a_channel_that_falls_silent_is_told_of(client: Client) -> None:
    silent = NOW - 2 * HOUR

    def mix(at: datetime) -> dict[str, float]:
        return {"website": 0.75, "store": 0.25} if at < silent else {"website": 1.0}

    live(client)
    Visits(mix=mix).fill(client, LIVED, NOW)
    found = [a for a in fired(client, NOW - 3 * HOUR, NOW) if a.kind == "silence"]
    assert [(a.step, a.state) for a in found] == [("store", "firing")]
    assert silent < found[0].opened_at < silent + HOUR


def test_a_shop_that_falls_silent_is_told_of_and_ends_no_alert(client: Client) -> None:
    start = NOW - 3 * HOUR
    shop = broken(start, NOW)
    shop.is_open = lambda at: at < start + HOUR
    live(client)
    shop.fill(client, LIVED, NOW)
    found = {a.kind: a.state for a in fired(client, NOW - 4 * HOUR, NOW)}
    assert found["conversion"] == "firing"
    assert found["silence"] == "firing"


def test_of_two_sites_the_silent_one_is_told_of(client: Client) -> None:
    for site in ("shop", "other"):
        live(client, site=site)
    Visits().fill(client, LIVED, NOW)
    Visits(site="other").fill(client, LIVED, NOW - HOUR)
    found = fired(client, NOW - 2 * HOUR, NOW)
    assert {a.site for a in found} == {"other"}
    assert "silence" in {a.kind for a in found}


class Refusing:
    """ClickHouse, which refuses to count the last hour and a half of a site."""

    def __init__(self, client: Client, refused: str) -> None:
        self._client, self.refused = client, refused

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)

    def query(self, query: str, **asked: Any) -> Any:
        told = asked.get("parameters", {})
        is_late = told.get("until", 0) > milliseconds(NOW - 90 * MINUTE)
        if is_late and told.get("site") == self.refused:
            raise DatabaseError("memory limit exceeded")
        return self._client.query(query, **asked)


def test_a_site_that_cannot_be_judged_holds_up_no_other_and_goes_on_where_it_was(
    client: Client,
) -> None:
    for site in ("a", "b"):
        live(client, site=site)
        replace(broken(NOW - HOUR, NOW), site=site).fill(client, LIVED, NOW)
    refusing = Refusing(client, "a")
    watching = rounds(cast("Client", refusing))
    watching.judge(NOW - 2 * HOUR)
    told = watching.judge(NOW)
    assert {a.site for a in conversions(told)} == {"b"}
    assert watching.judged_until(NOW) < NOW - HOUR
    refusing.refused = ""
    again = watching.judge(NOW)
    assert {a.site for a in conversions(again)} == {"a"}
    assert watching.judged_until(NOW) == NOW
    [mine], [theirs] = conversions(again), conversions(told)
    assert (mine.opened_at, mine.people) == (theirs.opened_at, theirs.people)


OPENED_AT_SIX = "toHour(AT) >= 6 AND toHour(AT) < 19"


def test_a_shop_that_closes_as_usual_wakes_nobody_and_ends_what_is_open(client: Client) -> None:
    evening = NOW.replace(hour=19) - timedelta(days=1)
    live(client, f"{OPENED_AT_SIX} AND AT < '{evening - 2 * HOUR:%F %T}'")
    shop = broken(evening - HOUR, NOW)
    shop.is_open = lambda at: 6 <= at.hour < 19
    shop.fill(client, evening - 2 * HOUR, evening + 4 * HOUR)
    found = fired(client, evening - 2 * HOUR, evening + 4 * HOUR)
    assert {a.kind for a in found} == {"conversion"}
    assert {a.state for a in found} == {"resolved"}


def test_a_shop_that_opens_at_six_is_not_missed_before(client: Client) -> None:
    live(client, OPENED_AT_SIX)
    assert fired(client, NOW.replace(hour=3), NOW.replace(hour=7)) == []


def test_a_shop_that_does_not_open_is_missed_an_hour_after_the_first_one(client: Client) -> None:
    """In the hour of an opening the lower of both hours counts."""
    morning = NOW.replace(hour=6)
    live(client, f"{OPENED_AT_SIX} AND AT < '{morning:%F %T}'")
    found = fired(client, NOW.replace(hour=4), morning + 2 * HOUR)
    assert "silence" in {a.kind for a in found}
    assert all(morning + HOUR < a.opened_at < morning + 2 * HOUR for a in found)


def test_the_clocks_go_forward_and_nobody_is_missed_in_the_hour_before_opening(
    client: Client,
) -> None:
    """The shop opens at eight in Berlin: at seven UTC until 28 March 2026, then at six."""
    sunday = datetime(2026, 3, 29, tzinfo=UTC)
    shift = sunday - START - timedelta(days=6)
    winter = "toHour(AT) >= 7 AND toHour(AT) < 18"
    live(client, f"{winter} AND AT < '{sunday - shift:%F}'", shift)
    shop = Visits(is_open=lambda at: 6 <= at.hour < 17)
    monday = sunday + timedelta(days=1)
    shop.fill(client, sunday, monday + 19 * HOUR)
    rules = RULES.model_copy(update={"time_zone": "Europe/Berlin"})
    quiet = fired(client, monday + 15 * HOUR, monday + 19 * HOUR, rules)
    assert [a.title for a in quiet] == []


def test_another_mix_of_channels_is_no_drop(client: Client) -> None:
    """More than twice the share of a channel that converts much worse."""
    live(client)
    Visits(mix=lambda _: {"website": 0.4, "store": 0.6}, rate=6).fill(client, LIVED, NOW)
    assert conversions(fired(client, NOW - 2 * HOUR, NOW)) == []


def test_five_times_the_visits_are_no_drop(client: Client) -> None:
    live(client)
    Visits(rate=20).fill(client, LIVED, NOW)
    assert fired(client, NOW - 2 * HOUR, NOW) == []


async def test_while_the_tracker_is_behind_nothing_is_judged_and_then_all_of_it(
    client: Client,
) -> None:
    """The last seventy minutes come late: a quarter of them is there, and not one alert."""
    behind = NOW - timedelta(minutes=70)
    live(client)
    Visits().fill(client, LIVED, behind)
    Visits(rate=1.0).fill(client, behind, NOW)

    async def waits_since(_: datetime) -> datetime:
        return behind

    watching = Rounds(client, Settings(), STEPS, waits_since)
    watching.judge(NOW - 2 * HOUR)
    assert await watching.progress(NOW) <= behind
    assert watching.judge(await watching.progress(NOW)) == []
    Visits(rate=3.0, seed=2).fill(client, behind, NOW)
    assert watching.judge(NOW) == []


def test_without_a_visit_there_is_nothing_to_judge(client: Client) -> None:
    assert rounds(client).judge(NOW) == []
    assert fired(client, NOW - HOUR, NOW) == []


def test_with_less_than_six_hours_of_history_nothing_is_judged(client: Client) -> None:
    broken(NOW - HOUR, NOW).fill(client, LIVED, NOW)
    assert fired(client, NOW - 2 * HOUR, NOW) == []


def test_a_site_that_began_this_morning_is_judged_by_its_own_hours(client: Client) -> None:
    live(client, f"AT > '{NOW - 12 * HOUR:%F %T}'")
    Visits().fill(client, LIVED, NOW)
    assert fired(client, NOW - 4 * HOUR, NOW) == []


def test_after_a_day_a_broken_checkout_is_found(client: Client) -> None:
    live(client, f"AT > '{NOW - 24 * HOUR:%F %T}'")
    broken(NOW - HOUR, NOW).fill(client, LIVED, NOW)
    assert about(fired(client, NOW - 2 * HOUR, NOW)[0]) == LAST_STEP


def test_more_errors_than_usual_are_told_of(client: Client) -> None:
    release = NOW - 2 * HOUR

    def errors(visit: Visit) -> float:
        return 0.3 if visit.at >= release and visit.browser == "Safari" else 0.01

    live(client)
    Visits(errors=errors).fill(client, LIVED, NOW)
    found = [a for a in fired(client, NOW - 3 * HOUR, NOW) if a.kind == "errors"]
    assert [(a.step, a.severity) for a in found] == [("Script Error", "ticket")]
    assert (found[0].dimension, found[0].value) in {("browser", "Safari"), ("device", "mobile")}


def special(kind: Literal["holiday", "campaign", "closed"], start: datetime) -> WatchRules:
    day = Period(name="Easter", kind=kind, start=start, end=NOW)
    return RULES.model_copy(update={"calendar": (day,)})


@pytest.mark.parametrize("kind", ["holiday", "closed"])
def test_on_a_holiday_and_while_closed_nobody_is_missed(
    client: Client, kind: Literal["holiday", "closed"]
) -> None:
    start = NOW - 2 * HOUR
    live(client)
    Visits().fill(client, LIVED, start)
    assert fired(client, NOW - 3 * HOUR, NOW, special(kind, start)) == []


def test_an_alert_in_a_campaign_names_it(client: Client) -> None:
    start = NOW - 2 * HOUR
    live(client)
    broken(start, NOW).fill(client, LIVED, NOW)
    [alert] = conversions(fired(client, NOW - 3 * HOUR, NOW, special("campaign", start)))
    assert alert.notes == ("Easter",)


def test_values_made_up_by_strangers_do_not_grow_what_is_counted(client: Client) -> None:
    """A hundred thousand visits, each with a source, a page and a campaign of its own."""
    live(client)
    Visits().fill(client, LIVED, NOW)
    began = {"at": int((NOW - 10 * HOUR).timestamp())}
    client.command(
        "INSERT INTO sessions (session_id, site, visitor_id, started_at, channel, device, "
        "traffic_source, traffic_campaign, entry_path) WITH toString(number) AS n "
        "SELECT n, 'shop', n, fromUnixTimestamp({at:Int64} + number % 36000), 'website', "
        "'desktop', concat('s', n), concat('c', n), concat('/', n) FROM numbers(100000)",
        parameters=began,
    )
    client.command(
        "INSERT INTO touchpoints (touchpoint_id, site, visitor_id, occurred_at, name, channel, "
        "browser) WITH toString(number) AS n SELECT concat('t', n), 'shop', n, "
        "fromUnixTimestamp({at:Int64} + number % 36000), 'Product Viewed', 'website', "
        "concat('b', n) FROM numbers(100000)",
        parameters=began,
    )
    reader = Reader(client, STEPS, RULES)
    start, end = milliseconds(NOW - 10 * HOUR), milliseconds(NOW)
    [site] = reader.sites(start, end)
    words = reader.words(site, start, end)
    seen = reader.seen(site, words, start, end, 3_600_000)
    assert sum(map(len, words)) <= 13 + 25 + 13 + 13 + 400
    assert len(set(seen.people.cells)) < 100
    assert {"Chrome", "Safari"} <= set(words.browsers)
    assert seen.people.people.sum() > 100_000
