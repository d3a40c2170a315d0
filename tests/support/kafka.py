"""Apache Kafka without Docker: real brokers as child processes, for tests and `make kafka`.

The jars come from Maven Central into `.cache`, once; Java 17 or newer runs them. One node, or three
that replicate, each broker and controller in one. Data lives in a temporary folder and is gone
after `stop`. Faults are methods: `kill`, `restart`, `pause`, `resume`.

    python -m tests.support.kafka --port 19092 [--nodes 3]
"""

import argparse
import asyncio
import logging
import shutil
import signal
import tempfile
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from pipeline.local.children import StackFailed
from pipeline.local.kafka import parts
from pipeline.local.kafka.parts import VERSION
from tests.support.ports import free_ports

_log = logging.getLogger(__name__)

_ROOT = Path(__file__).parents[2]
LIBS = parts.jars_folder(_ROOT / ".cache")
_CLUSTER_ID = "dG91Y2hzdHJlYW0tdGVzdA"
_START_SECONDS = 180

_PROPERTIES = """\
process.roles=broker,controller
node.id={node}
controller.quorum.voters={voters}
controller.listener.names=CONTROLLER
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller_port}
log.dirs={folder}/data
auto.create.topics.enable=false
default.replication.factor={copies}
offsets.topic.replication.factor={copies}
transaction.state.log.replication.factor={copies}
min.insync.replicas={in_sync}
transaction.state.log.min.isr={in_sync}
offsets.topic.num.partitions=5
transaction.state.log.num.partitions=5
group.initial.rebalance.delay.ms=0
broker.heartbeat.interval.ms=500
broker.session.timeout.ms=4000
log.retention.bytes=268435456
log.segment.bytes=67108864
log.cleaner.dedupe.buffer.size=16777216
"""


class KafkaUnavailable(Exception):
    """Kafka cannot run on this machine; the text says what is missing."""


@dataclass
class Node:
    number: int
    port: int
    controller_port: int
    folder: Path
    process: asyncio.subprocess.Process | None = None

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def log(self) -> Path:
        return self.folder / "kafka.log"


class KafkaCluster:
    """`nodes` brokers, numbered from 1; with 3, every topic has 3 copies and needs 2 in sync."""

    def __init__(self, nodes: int = 1, port: int | None = None) -> None:
        """Node 1 listens on `port`, or like the others on a free one."""
        ports = free_ports(2 * nodes)
        if port:
            ports[0] = port
        self.folder = Path(tempfile.gettempdir()) / f"kafka-{uuid.uuid4().hex[:8]}"
        self._nodes = {
            n: Node(n, ports[2 * n - 2], ports[2 * n - 1], self.folder / str(n))
            for n in range(1, nodes + 1)
        }

    @property
    def bootstrap_servers(self) -> str:
        return ",".join(node.address for node in self._nodes.values())

    async def start(self) -> None:
        """Start all nodes; return when each answers as a member of the cluster."""
        await asyncio.to_thread(fetch_jars)
        try:
            await asyncio.gather(*(self._format(node) for node in self._nodes.values()))
            await asyncio.gather(*(self._run(node) for node in self._nodes.values()))
        except BaseException:
            await self.stop(keep_logs=True)
            raise

    async def stop(self, *, keep_logs: bool = False) -> None:
        """Stop all nodes and delete their data, and their logs if nobody needs them."""
        await asyncio.gather(*(_kill(node) for node in self._nodes.values()))
        for node in self._nodes.values():
            shutil.rmtree(node.folder / "data", ignore_errors=True)
        if keep_logs:
            _log.warning("Kafka's logs are kept in %s", self.folder)
        else:
            shutil.rmtree(self.folder, ignore_errors=True)

    async def kill(self, node: int) -> None:
        """SIGKILL: what was not on disk is lost to this node."""
        await _kill(self._nodes[node])

    async def restart(self, node: int) -> None:
        """Start a killed node again on its own data; return when it answers."""
        await self._run(self._nodes[node])

    def pause(self, node: int) -> None:
        """SIGSTOP: connections stay open and silent."""
        self._process(node).send_signal(signal.SIGSTOP)

    def resume(self, node: int) -> None:
        """SIGCONT after `pause`."""
        self._process(node).send_signal(signal.SIGCONT)

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *error: object) -> None:
        await self.stop(keep_logs=any(error))

    def _process(self, node: int) -> asyncio.subprocess.Process:
        process = self._nodes[node].process
        assert process, f"node {node} was never started"
        return process

    async def _format(self, node: Node) -> None:
        node.folder.mkdir(parents=True)
        (node.folder / "server.properties").write_text(self._properties(node))
        asked = ("format", "-t", _CLUSTER_ID, "-c", "server.properties", *self.format_options())
        node.process = await _java(node, "kafka.tools.StorageTool", *asked)
        if await node.process.wait():
            raise RuntimeError(f"Kafka could not format its storage; see {node.log}")

    async def _run(self, node: Node) -> None:
        node.process = await _java(node, "kafka.Kafka", "server.properties")
        try:
            async with asyncio.timeout(_START_SECONDS):
                await _until_it_is_a_member(node, node.process)
        except (TimeoutError, ChildProcessError) as error:
            raise RuntimeError(f"Kafka node {node.number} did not start; see {node.log}") from error

    def format_options(self) -> tuple[str, ...]:
        """Give more options for the tool that formats the storage: none."""
        return ()

    def _properties(self, node: Node) -> str:
        several = len(self._nodes) > 1
        return _PROPERTIES.format(
            node=node.number,
            port=node.port,
            controller_port=node.controller_port,
            folder=node.folder,
            voters=",".join(
                f"{n.number}@127.0.0.1:{n.controller_port}" for n in self._nodes.values()
            ),
            copies=3 if several else 1,
            in_sync=2 if several else 1,
        )


def fetch_jars() -> None:
    """Fetch Kafka's jars into `.cache` unless they are there; KafkaUnavailable if that fails."""
    if not shutil.which("java"):
        raise KafkaUnavailable("java is not installed; Apache Kafka needs Java 17 or newer")
    if LIBS.exists():
        return
    try:
        parts.fetch_jars(LIBS)
    except StackFailed as error:
        raise KafkaUnavailable(str(error)) from None


async def _java(node: Node, *arguments: str) -> asyncio.subprocess.Process:
    with node.log.open("ab") as log:
        return await asyncio.create_subprocess_exec(
            *("java", "-Xms256m", "-Xmx512m", "-cp", f"{LIBS}/*", *arguments),
            cwd=node.folder,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,  # Ctrl-C is for the one who started the cluster
        )


async def _kill(node: Node) -> None:
    if node.process and node.process.returncode is None:
        node.process.kill()
        await node.process.wait()


async def _until_it_is_a_member(node: Node, process: asyncio.subprocess.Process) -> None:
    while not await _is_member(node):
        if process.returncode is not None:
            raise ChildProcessError
        await asyncio.sleep(0.1)


async def _is_member(node: Node) -> bool:
    if not await _listens(node.port):  # aiokafka logs an error for every refused connection
        return False
    admin = AIOKafkaAdminClient(bootstrap_servers=node.address)
    try:
        await admin.start()
        brokers = (await admin.describe_cluster())["brokers"]
    except (KafkaError, OSError):
        return False
    finally:
        await admin.close()
    return node.number in {broker["node_id"] for broker in brokers}


async def _listens(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.close()
    await writer.wait_closed()
    return True


async def _main() -> None:
    parser = argparse.ArgumentParser(description="Run Apache Kafka until Ctrl-C.")
    parser.add_argument("--port", type=int, default=9092, help="of node 1")
    parser.add_argument("--nodes", type=int, choices=(1, 3), default=1)
    arguments = parser.parse_args()
    stopped = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    async with KafkaCluster(arguments.nodes, arguments.port) as cluster:
        print(f"Apache Kafka {VERSION} answers on {cluster.bootstrap_servers}", flush=True)
        await stopped.wait()


if __name__ == "__main__":
    asyncio.run(_main())
