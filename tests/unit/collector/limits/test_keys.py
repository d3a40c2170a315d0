"""On which way touchpoints get into Kafka, and what is counted of it."""

from datetime import timedelta

import pytest

from pipeline import metrics
from pipeline.collector.answers import Problem, TurnedAway
from pipeline.collector.arrival import Arrival
from pipeline.collector.collect import Collected
from pipeline.collector.limits.gate import Sender
from pipeline.collector.limits.keys import KeyLimits
from pipeline.kafka.in_memory import ManualClock
from pipeline.kafka.records import Record
from pipeline.settings import Settings
from schemas.codec import Refused
from schemas.dead_letter import Reason
from schemas.topics import DEAD_LETTERS, OVERFLOW, RAW
from schemas.write_key import WriteKey

NOW = ManualClock().now
SMALL = WriteKey(site="shop", events_per_second=10)


def lanes(**keys: WriteKey) -> KeyLimits:
    return KeyLimits(Settings(write_keys=keys), clock=lambda: 0.0)


def collected(events: int) -> Collected:
    some = Collected(Arrival("shop", NOW))
    some.records = [(RAW.name, Record(b"shop:a", b"{}", 0))] * events
    return some


def topics(of: Collected) -> set[str]:
    return {topic for topic, _ in of.records}


def test_without_any_share_nothing_takes_the_lane_and_its_topic_is_not_needed() -> None:
    plain = lanes(wk=WriteKey(site="shop"))
    many = collected(1_000_000)
    plain.choose(Sender("wk", WriteKey(site="shop")), many)
    assert ([], {RAW.name}) == (plain.topics, topics(many))
    assert [OVERFLOW.name] == lanes(wk=SMALL).topics


def test_beyond_the_share_touchpoints_take_the_lane_of_their_site_and_letters_do_not() -> None:
    small = lanes(wk=SMALL)
    small.choose(Sender("wk", SMALL), collected(200))
    more = collected(2)
    more.refuse(2, b"{}", Refused(Reason.MISSING_FIELD, ""))
    small.choose(Sender("wk", SMALL), more)
    assert [OVERFLOW.name, OVERFLOW.name, DEAD_LETTERS.name] == [topic for topic, _ in more.records]
    assert {b"shop"} == {record.key for _, record in more.records}
    assert 2 == more.accepted


def test_a_day_is_full_when_kafka_has_what_may_be_sent_in_it() -> None:
    key = WriteKey(site="shop", events_per_day=100)
    sender, quota = Sender("wk", key), lanes(wk=key)
    quota.choose(sender, collected(100))
    quota.admit(sender, NOW)
    quota.count(sender, collected(100))
    with pytest.raises(TurnedAway) as why:
        quota.admit(sender, NOW)
    assert Problem.QUOTA_EXCEEDED == why.value.code
    quota.admit(sender, NOW + timedelta(days=1))


def test_the_metric_of_a_key_does_not_tell_it() -> None:
    """`printf wk_old | sha256sum | cut -c1-8`, as docs/limits.md says."""
    key = WriteKey(site="rotated")
    lanes(wk_old=key).count(Sender("wk_old", key), collected(3))
    labels = {"site": "rotated", "key": "11f65353"}
    assert 3 == metrics.COLLECTOR.get_sample_value(
        "touchstream_collector_key_accepted_total", labels
    )
