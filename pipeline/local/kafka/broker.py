"""One Apache Kafka on this machine, broker and controller in one, with durable data. Shell.

Its data survives kill -9 and a reboot; `touchstream up` then continues where it was. What Kafka
acknowledges is with the kernel, not yet on the disk: only a power loss can lose the last seconds.
"""

import asyncio
import subprocess
import uuid
from base64 import urlsafe_b64encode
from functools import partial
from pathlib import Path

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from pipeline.local.children import Child, StackFailed, Tell
from pipeline.local.kafka.parts import Parts
from pipeline.local.ports import Address, free_ports, is_taken

_HEAP = ("-Xms128m", "-Xmx512m")
_STOP_SECONDS = 30.0
_PROPERTIES = """\
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller}
controller.listener.names=CONTROLLER
listeners=PLAINTEXT://{host}:{port},CONTROLLER://127.0.0.1:{controller}
log.dirs={data}
auto.create.topics.enable=false
offsets.topic.replication.factor=1
offsets.topic.num.partitions=5
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=5
group.initial.rebalance.delay.ms=0
log.segment.bytes=67108864
log.cleaner.dedupe.buffer.size=16777216
"""


class LocalKafka:
    """A broker at `address` with its data in `folder`; it is restarted whenever it ends."""

    def __init__(self, parts: Parts, address: Address, folder: Path, tell: Tell) -> None:
        self._parts = parts
        self._address = address
        self._folder = folder.resolve()
        self._tell = tell
        self._child: Child | None = None

    async def start(self) -> None:
        """Start it; return when it answers a client.

        Raises:
            StackFailed: it does not answer; the text says why.
        """
        host, port = self._address
        if not await _is_free(self._address):
            raise StackFailed(
                f"nothing can listen on {host}:{port}: stop what uses the port, or choose "
                "another one with TOUCHSTREAM_KAFKA_BOOTSTRAP_SERVERS"
            )
        data = self._folder / "data"
        self._folder.mkdir(parents=True, exist_ok=True)
        properties = self._folder / "server.properties"
        controller = free_ports(1)[0]
        properties.write_text(
            _PROPERTIES.format(host=host, port=port, controller=controller, data=data)
        )
        if not (data / "meta.properties").exists():
            await asyncio.to_thread(self._format, properties)
        java, jars = self._parts
        command = (java, *_HEAP, "-cp", jars, "kafka.Kafka", str(properties))
        self._child = Child("kafka", command, {}, self._folder / "kafka.log", self._warn)
        await self._child.start(partial(_answers, f"{host}:{port}"))

    async def stop(self) -> None:
        """Shut it down in an orderly way."""
        if self._child:
            await self._child.stop(_STOP_SECONDS)

    async def kill(self) -> None:
        """Kill it; nothing that it has acknowledged is lost."""
        if self._child:
            await self._child.kill()

    def _format(self, properties: Path) -> None:
        java, jars = self._parts
        cluster = urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
        tool = (java, "-cp", jars, "kafka.tools.StorageTool", "format", "-t", cluster)
        done = subprocess.run(  # noqa: S603 - our own Java
            [*tool, "-c", str(properties)], capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise StackFailed(f"Apache Kafka cannot store data in {self._folder}: {done.stderr}")

    def _warn(self, sentence: str) -> None:
        if sentence.startswith("kafka ended"):  # its other warnings are in its log
            self._tell(sentence)


async def _is_free(address: Address) -> bool:
    """Tell whether the address is free; wait a little for a broker that was just killed."""
    for _ in range(50):
        if not is_taken(address):
            return True
        await asyncio.sleep(0.1)
    return False


async def _answers(address: str) -> bool:
    host, _, port = address.rpartition(":")
    try:  # aiokafka logs an error for every refused connection
        _, writer = await asyncio.open_connection(host, int(port))
    except OSError:
        return False
    writer.close()
    admin = AIOKafkaAdminClient(bootstrap_servers=address)
    try:
        await admin.start()
        await admin.list_topics()
    except (KafkaError, OSError):
        return False
    finally:
        await admin.close()
    return True
