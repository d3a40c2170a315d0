"""The whole line for one fault: Kafka, engine, collector, tracker and sink, each a process."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from aiokafka.errors import KafkaError
from clickhouse_connect.driver.client import Client

from pipeline.kafka.producer import NotAcknowledged
from pipeline.operations.verify import differences
from schemas.codec import Tick, encode
from tests.faults.report import Outcome
from tests.faults.sender import Sender
from tests.support.collector import WRITE_KEY, until_status
from tests.support.engine import EngineServer
from tests.support.kafka import KafkaCluster
from tests.support.line import Line, running_line
from tests.support.ports import free_ports

SITE = "shop"
_PATIENCE_SECONDS = 90


@dataclass
class Stage:
    """What a fault may do harm to."""

    cluster: KafkaCluster
    engine: EngineServer
    line: Line
    client: Client
    sender: Sender

    async def again(self, *roles: str) -> None:
        """Kill -9 these roles at once, and start them again a second later."""
        for role in roles:
            await self.line.kill(role)
        await asyncio.sleep(1)
        for role in roles:
            await self.line.start(role)

    async def until_alive(self) -> float:
        """Give the seconds until a new touchpoint is in ClickHouse."""
        began = time.monotonic()
        name = f"probe-{time.time_ns()}"
        await self.sender.probe(name)
        asked = "SELECT count() FROM touchpoints WHERE touchpoint_id = {name:String}"
        async with asyncio.timeout(_PATIENCE_SECONDS):
            while not await self._number(asked, name):  # noqa: ASYNC110 - another process
                await asyncio.sleep(0.2)
        return time.monotonic() - began

    async def hurry(self, seconds: float) -> None:
        """Let two hours pass meanwhile: silences are judged, and late touchpoints refute them."""
        for number in range(1, 9):
            await asyncio.sleep(seconds / 8)
            with suppress(NotAcknowledged, KafkaError):  # it may be what is down
                await self._tick(timedelta(minutes=15 * number))

    async def end(self, patience: float = 120) -> None:
        """Let time pass until every session is over, and wait until everything is written."""
        await self._tick(timedelta(hours=4))
        await self.line.settle(patience)

    async def _tick(self, ahead: timedelta) -> None:
        at, now = datetime.now(UTC) + ahead, int(time.time() * 1000)
        partitions = range(self.line.settings.kafka_partitions)
        await self.line.send([(None, each, encode(Tick(tick=at)), now) for each in partitions])

    async def wrong(self) -> list[str]:
        """Name what is not as the oracle or plain SQL says."""
        of_oracle = await self.line.differences(self.client)
        of_sql = await asyncio.to_thread(
            differences, self.client, gap=self.line.settings.session_gap
        )
        return [str(each)[:300] for each in (*of_oracle, *of_sql)]

    async def rows(self) -> dict[str, int]:
        """Give the touchpoints in ClickHouse: how many rows each id has."""
        asked = "SELECT touchpoint_id, count() FROM touchpoints FINAL GROUP BY touchpoint_id"
        found = await asyncio.to_thread(self.client.query, asked)
        return {str(id_): int(count) for id_, count in found.result_rows}

    async def letters(self) -> str:
        """Give what dead letters quote, one after the other."""
        asked = "SELECT payload FROM dead_letters"
        found = await asyncio.to_thread(self.client.query, asked)
        return "".join(str(payload) for (payload,) in found.result_rows)

    async def outcome(self, fault: str, recovered: float) -> Outcome:
        """Compare ClickHouse with what the sender was told, with the oracle, and with plain SQL."""
        rows, sender, letters = await self.rows(), self.sender, await self.letters()
        lost = (sender.taken - rows.keys()) | {
            id_ for id_ in sender.refused if f'"{id_}"' not in letters
        }
        return Outcome(
            fault=fault,
            seed=sender.seed,
            acknowledged=len(sender.taken),
            in_clickhouse=len(rows),
            lost=len(lost),
            doubled=sum(count - 1 for count in rows.values()),
            made_up=len(rows.keys() - sender.sent),
            wrong=await self.wrong(),
            seconds_to_recover=round(recovered, 1),
        )

    async def _number(self, sql: str, name: str) -> int:
        try:
            found = await asyncio.to_thread(self.client.query, sql, {"name": name})
        except Exception:  # noqa: BLE001 - the engine may be what is down
            return 0
        return int(found.result_rows[0][0])


@asynccontextmanager
async def staged(folder: Path, *, nodes: int, seed: int, visitors: int) -> AsyncIterator[Stage]:
    """Start everything; the tracker's time passes only by `Stage.end`."""
    [port] = free_ports(1)
    async with (
        KafkaCluster(nodes) as cluster,
        EngineServer(folder / "engine") as engine,
        running_line(cluster.bootstrap_servers, engine, folder, "faults", replication=nodes) as (
            line,
            client,
        ),
    ):
        line.environment |= {
            "TOUCHSTREAM_WRITE_KEYS": json.dumps({WRITE_KEY: SITE}),
            "TOUCHSTREAM_COLLECTOR_PORT": str(port),
        }
        url = f"http://127.0.0.1:{port}"
        for role in ("collect", "track", "sink"):
            await line.start(role)
        await until_status(f"{url}/healthz/ready", 200, _PATIENCE_SECONDS)
        supervising = asyncio.create_task(line.supervise())
        yield Stage(cluster, engine, line, client, Sender(url, WRITE_KEY, seed, visitors))
        supervising.cancel()
