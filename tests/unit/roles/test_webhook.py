"""Facts to other systems: signed, in order, until they are taken; over a real HTTP server."""

import asyncio
import base64
import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

import aiohttp
import msgspec
import pytest
from aiokafka import TopicPartition
from pydantic import SecretStr, ValidationError

import schemas
from pipeline.kafka.in_memory import MemoryBroker, MemoryConsumer
from pipeline.roles.webhook.courier import Courier
from pipeline.roles.webhook.deliveries import Deliveries
from pipeline.roles.webhook.message import Wishes, message_of
from pipeline.settings import Settings, WebhookEndpoint, environment_of
from schemas.codec import encode
from schemas.dead_letter import DeadLetter
from schemas.facts import Abandonment, Transition
from schemas.topics import ABANDONMENTS, TRANSITIONS
from tests.support.receiver import Receiver, receiver

EXAMPLES = Path(schemas.__file__).parent / "examples"
SECRET = "w" * 32
NOW = 1767268800

CART = msgspec.json.decode(
    (EXAMPLES / "abandonment" / "valid" / "a_cart.json").read_bytes(), type=Abandonment
)
FORWARD = msgspec.json.decode(
    (EXAMPLES / "transition" / "valid" / "forward.json").read_bytes(), type=Transition
)


def cart(name: str, version: int = 1, person: str = "ada", **more: Any) -> bytes:
    return encode(
        msgspec.structs.replace(
            CART, abandonment_id=name, version=version, person_id=person, **more
        )
    )


@dataclass
class Bench:
    """Deliveries between a broker in memory and a real HTTP server."""

    server: Receiver
    deliveries: Deliveries
    consumer: MemoryConsumer
    letters: list[DeadLetter] = field(default_factory=list)
    pauses: list[float] = field(default_factory=list)

    async def tell(self, *values: bytes, partition: int = 0) -> None:
        rows = [(b"shop:ada", value, 5) for value in values]
        await self.consumer.broker.send(ABANDONMENTS.name, partition, rows)

    @property
    def committed(self) -> dict[TopicPartition, int]:
        return self.consumer.committed


@asynccontextmanager
async def bench(
    attempts: int = 3,
    wishes: Wishes = Wishes(),  # noqa: B008 - it never changes
    path: str = "/hook",
    seconds: float = 5,
) -> AsyncIterator[Bench]:
    timeout = aiohttp.ClientTimeout(total=seconds)
    async with receiver() as server, aiohttp.ClientSession(timeout=timeout) as session:
        consumer = MemoryConsumer(MemoryBroker())
        consumer.assign([TopicPartition(ABANDONMENTS.name, n) for n in (0, 1)])
        letters: list[DeadLetter] = []
        pauses: list[float] = []

        async def bury(letter: DeadLetter) -> None:
            letters.append(letter)

        async def pause(seconds: float) -> None:
            pauses.append(seconds)
            await asyncio.sleep(0)

        courier = Courier(
            "crm",
            WebhookEndpoint(url=server.url(path), secret=SecretStr(SECRET)),
            session,
            attempts=attempts,
            clock=lambda: NOW + 0.9,
            chance=Random(1),  # noqa: S311 - the spread of pauses is no secret
            pause=pause,
        )
        deliveries = Deliveries(consumer, courier, bury, wishes)
        yield Bench(server, deliveries, consumer, letters, pauses)


# --- what is posted -------------------------------------------------------------------------------


async def test_a_fact_is_posted_as_json_with_its_id_version_and_all_columns() -> None:
    async with bench() as here:
        await here.tell(cart("a", 7))
        await here.deliveries.round()
        [posted] = here.server.posted
    assert {
        "type": "abandonment",
        "id": "a",
        "version": 7,
        "is_deleted": False,
        "fact": json.loads(cart("a", 7)),
    } == posted.said
    assert "application/json" == posted.headers["Content-Type"]


async def test_a_request_is_signed_over_time_and_body_and_names_what_must_not_count_twice() -> None:
    async with bench() as here:
        await here.tell(cart("a", 7))
        await here.deliveries.round()
        [posted] = here.server.posted
    key = base64.b64decode(SECRET)
    signed = hmac.new(key, f"a:7.{NOW}.".encode() + posted.body, hashlib.sha256)
    assert f"v1,{base64.b64encode(signed.digest()).decode()}" == posted.headers["webhook-signature"]
    assert (str(NOW), "a:7") == tuple(
        posted.headers[f"webhook-{name}"] for name in ("timestamp", "id")
    )
    assert "a:7" == posted.headers["idempotency-key"]


async def test_a_fact_that_was_taken_back_is_posted_as_deleted() -> None:
    async with bench() as here:
        await here.tell(cart("a", 1), cart("b", 1))
        await here.deliveries.round()
        await here.tell(cart("a", 2, is_deleted=True))
        await here.deliveries.round()
        told = [(e.said["id"], e.said["is_deleted"]) for e in here.server.posted]
    assert [("a", False), ("b", False), ("a", True)] == told


async def test_of_a_fact_that_changed_meanwhile_only_the_newest_version_is_posted() -> None:
    async with bench() as here:
        await here.tell(cart("a", 1), cart("b", 1), cart("a", 3), cart("a", 2))
        await here.deliveries.round()
        told = [(e.said["id"], e.said["version"]) for e in here.server.posted]
    assert [("b", 1), ("a", 3)] == told


async def test_a_record_of_several_lines_holds_several_facts() -> None:
    async with bench() as here:
        await here.tell(cart("a") + b"\n" + cart("b"))
        await here.deliveries.round()
        assert ["a", "b"] == here.server.ids()


@pytest.mark.parametrize(
    ("wishes", "passes"),
    [
        (Wishes(), True),
        (Wishes(kinds=frozenset({"abandonment"})), True),
        (Wishes(kinds=frozenset({"cart", "enter"})), True),
        (Wishes(kinds=frozenset({"checkout"})), False),
        (Wishes(kinds=frozenset({"transition"})), False),
        (Wishes(models=frozenset({CART.model})), True),
        (Wishes(models=frozenset({"other"})), False),
        (Wishes(sites=frozenset({CART.site})), True),
        (Wishes(sites=frozenset({"blog"})), False),
        (Wishes(frozenset({"cart"}), frozenset({CART.model}), frozenset({"blog"})), False),
    ],
)
def test_only_what_all_filters_let_pass_is_told(wishes: Wishes, passes: bool) -> None:
    assert passes == (message_of(ABANDONMENTS.name, cart("a"), wishes) is not None)


@pytest.mark.parametrize(
    "path", [*EXAMPLES.glob("transition/valid/*"), *EXAMPLES.glob("abandonment/valid/*")]
)
def test_every_golden_fact_becomes_a_message(path: Path) -> None:
    topic = TRANSITIONS.name if "transition" in path.parts else ABANDONMENTS.name
    message = message_of(topic, path.read_bytes(), Wishes())
    assert message is not None
    assert json.loads(path.read_bytes()) == json.loads(message.body)["fact"]


# --- until it is taken ----------------------------------------------------------------------------


@pytest.mark.parametrize("status", [500, 503, 408, 425, 429])
async def test_an_answer_that_may_change_is_asked_for_again(status: int) -> None:
    async with bench() as here:
        here.server.answers["/hook"] = [status, 204]
        await here.tell(cart("a"))
        await here.deliveries.round()
        assert ["a", "a"] == here.server.ids()
    assert [] == here.letters


async def test_pauses_grow_and_differ_and_do_not_grow_for_ever() -> None:
    async with bench(attempts=10) as here:
        here.server.answers["/hook"] = [500]
        await here.tell(cart("a"))
        await here.deliveries.round()
    longest = [1, 2, 4, 8, 16, 32, 60, 60, 60]
    assert [True] * 9 == [
        most / 2 <= pause <= most for pause, most in zip(here.pauses, longest, strict=True)
    ]
    assert len(set(here.pauses[6:])) == 3


async def test_what_is_never_taken_becomes_a_dead_letter_after_the_last_attempt() -> None:
    async with bench(attempts=3) as here:
        here.server.answers["/hook"] = [500]
        await here.tell(cart("a"))
        await here.deliveries.round()
        assert ["a"] * 3 == here.server.ids()
    [letter] = here.letters
    assert ("webhook", "not_delivered", "abandonments-0", 0, cart("a").decode()) == (
        letter.stage,
        letter.reason,
        letter.source,
        letter.position,
        letter.payload,
    )
    assert "crm: failed 3 times, last: answered 500" == letter.detail
    assert {TopicPartition(ABANDONMENTS.name, 0): 1} == here.committed


@pytest.mark.parametrize("status", [400, 401, 404, 410, 422])
async def test_a_refusal_is_not_asked_for_again(status: int) -> None:
    async with bench() as here:
        here.server.answers["/hook"] = [status]
        await here.tell(cart("a"))
        await here.deliveries.round()
        assert ["a"] == here.server.ids()
    assert [f"crm: answered {status}"] == [letter.detail for letter in here.letters]


@pytest.mark.parametrize("status", [301, 302, 307, 308])
async def test_a_redirect_is_not_followed(status: int) -> None:
    async with bench() as here:
        here.server.answers["/hook"] = [status]
        await here.tell(cart("a"))
        await here.deliveries.round()
        assert ["/hook"] == [posted.path for posted in here.server.posted]
    assert 1 == len(here.letters)


async def test_an_endpoint_that_does_not_answer_in_time_is_asked_again() -> None:
    async with bench(attempts=2, seconds=0.2) as here:
        here.server.slow["/hook"] = 1
        await here.tell(cart("a"))
        await here.deliveries.round()
        assert ["a", "a"] == here.server.ids()
    assert "TimeoutError" in here.letters[0].detail


async def test_what_is_no_fact_becomes_a_dead_letter_and_the_next_is_posted() -> None:
    async with bench() as here:
        await here.tell(b"{", b"{}", cart("a"))
        await here.deliveries.round()
        assert ["a"] == here.server.ids()
    assert ["not_json", "missing_field"] == [letter.reason for letter in here.letters]


# --- in order, and none left out ------------------------------------------------------------------


async def test_facts_of_one_person_come_in_order_also_when_one_is_retried() -> None:
    async with bench() as here:
        here.server.answers["/hook"] = [500, 500, 200]
        await here.tell(cart("a"), cart("b"), cart("c"))
        await here.deliveries.round()
        assert ["a", "a", "a", "b", "c"] == here.server.ids()


async def test_people_do_not_wait_for_each_other_but_not_more_than_sixteen_at_once() -> None:
    async with bench() as here:
        here.server.slow["/hook"] = 0.1
        await here.tell(*(cart(f"c{n}", person=f"p{n}") for n in range(40)))
        await here.deliveries.round()
        assert {f"c{n}" for n in range(40)} == set(here.server.ids())
        assert 16 == here.server.most_open


async def test_a_crash_before_the_commit_delivers_again_and_leaves_nothing_out() -> None:
    async with bench() as here:
        here.server.slow["/hook"] = 0.2
        await here.tell(cart("a"), cart("b"))
        crashing = asyncio.create_task(here.deliveries.round())
        await here.server.until(1)
        crashing.cancel()
        await asyncio.wait([crashing])
        assert {} == here.committed
        here.consumer.assign([TopicPartition(ABANDONMENTS.name, 0)])
        await here.deliveries.round()
        assert ["a", "a", "b"] == here.server.ids()
    assert {TopicPartition(ABANDONMENTS.name, 0): 2} == here.committed


async def test_a_partition_that_moved_is_not_committed() -> None:
    async with bench() as here:
        here.server.slow["/hook"] = 0.2
        await here.tell(cart("a"), partition=1)
        rounding = asyncio.create_task(here.deliveries.round())
        await here.server.until(1)
        here.consumer.assign([TopicPartition(ABANDONMENTS.name, 0)])
        await rounding
    assert {} == here.committed


# --- settings -------------------------------------------------------------------------------------


def endpoint(**changed: Any) -> Any:
    return {"crm": {"url": "https://crm.example/hook", "secret": SECRET} | changed}


@pytest.mark.parametrize(
    "changed",
    [
        {"url": "ftp://crm.example"},
        {"url": "https://user:pw@crm.example"},
        {"secret": "short"},
        {"secret": "sample-" + "x" * 40},
        {"kind": ["cart"]},
    ],
)
def test_an_endpoint_that_cannot_be_used_is_refused(changed: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Settings(webhook_endpoints=endpoint(**changed))


def test_another_process_gets_the_endpoints_with_their_secrets() -> None:
    told = environment_of(Settings(webhook_endpoints=endpoint(kinds=["cart"])))
    [(name, said)] = json.loads(told["TOUCHSTREAM_WEBHOOK_ENDPOINTS"]).items()
    assert ("crm", SECRET, ["cart"]) == (name, said["secret"], said["kinds"])
