"""Our services as docker-compose.yml starts them, without containers, on a secured Kafka.

`python -m tests.support.boot FOLDER` wants a network and a tree of mounts of its own (`unshare`).
Each service is a process with exactly the environment, the secrets, the working directory and the
command of the compose file, as user 10001 without capabilities, on a read-only file system with an
empty /tmp. Not as in a container: no limit of memory, no seccomp, and the Python of this machine.
ClickHouse is the embedded engine, on this machine and without passwords. It prints a line for each
thing done.
"""

import asyncio
import base64
import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

import aiohttp

from pipeline.kafka.rights import NEEDED, lacking_rights, rights_of
from tests.support.compose import FILE, ROOT, Role, env_file, roles
from tests.support.engine import EngineServer
from tests.support.live import events
from tests.support.secured_kafka import PASSWORD, SecuredKafka

ONCE = ("topics", "migrate")
_USER = 10001
_HOSTS = "127.0.0.1 localhost kafka clickhouse alertmanager collector live\n"
_ENDPOINTS = '{"crm": {"url": "http://127.0.0.1:9/", "secret": "%s"}}' % ("s" * 32)
_ENTER = """
set -eu
mount --bind {root} /etc/kept
mount -t tmpfs tmpfs /run && mkdir -m 755 /run/secrets
{secrets}
mount --bind {settings} /etc/touchstream
mount -t tmpfs -o mode=1777 tmpfs /tmp
mkdir -p {root} && mount --bind /etc/kept {root}  # it may be in /tmp itself
for place in /etc/touchstream /etc /etc/kept /run {root} /; do
  mount -o remount,bind,ro "$place"
done
cd /etc/touchstream
exec setpriv --reuid {user} --regid {user} --clear-groups --no-new-privs \
  --bounding-set -all --inh-caps -all -- env -i {environment} {command}
"""


class Boot:
    """The services of the project in `folder`."""

    def __init__(self, folder: Path) -> None:
        self.roles = roles(folder)
        self._folder = folder
        self._running: dict[str, asyncio.subprocess.Process] = {}

    async def run(self, role: str, command: Iterable[str]) -> tuple[int, str]:
        """Run a command as in the container of `role`; give its code and what it said."""
        process = await self._enter(self.roles[role], command, subprocess.PIPE)
        said, _ = await process.communicate()
        assert process.returncode is not None
        return process.returncode, said.decode().strip()

    async def start(self, name: str) -> None:
        """Start a service; return when its health check passes."""
        role = self.roles[name]
        with (self._folder / f"{name}.log").open("wb") as log:
            self._running[name] = await self._enter(role, role.command, log.fileno())
        async with asyncio.timeout(120):
            while (await self.run(name, role.health))[0]:
                if self._running[name].returncode is not None:
                    raise RuntimeError((self._folder / f"{name}.log").read_text())
                await asyncio.sleep(2)  # each question is a Python of its own

    async def stop(self, name: str) -> int:
        """Stop a service within its grace; give its exit code."""
        process = self._running[name]
        process.send_signal(signal.SIGTERM)
        return await asyncio.wait_for(process.wait(), self.roles[name].stop_seconds)

    async def _enter(
        self, role: Role, command: Iterable[str], output: int
    ) -> asyncio.subprocess.Process:
        path = f"{Path(sys.executable).parent}:/usr/bin:/bin"
        given = {"PATH": path, "HOME": "/", "PYTHONUNBUFFERED": "1", **role.environment}
        script = _ENTER.format(
            root=shlex.quote(str(ROOT)),
            settings=shlex.quote(str(self._folder / "deploy/settings")),
            secrets="\n".join(
                f"touch /run/secrets/{name} && mount --bind {shlex.quote(str(file))} "
                f"/run/secrets/{name}"
                for name, file in role.secrets.items()
            ),
            user=_USER,
            environment=shlex.join(f"{name}={value}" for name, value in given.items()),
            command=shlex.join(command),
        )
        return await asyncio.create_subprocess_exec(
            *("unshare", "--mount", "sh", "-c", script), stdout=output, stderr=subprocess.STDOUT
        )


def isolate() -> None:
    """Give this tree of mounts an /etc of its own, with the names of the containers."""
    etc = Path(tempfile.mkdtemp()) / "etc"
    shutil.copytree("/etc", etc, symlinks=True)
    (etc / "hosts").write_text(_HOSTS)
    (etc / "touchstream").mkdir()
    (etc / "kept").mkdir()
    subprocess.run(["mount", "--bind", str(etc), "/etc"], check=True)
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    _open(Path(sys.base_prefix))
    _open(ROOT)


def _open(folder: Path) -> None:
    """Let everybody reach `folder`, here alone: what hides it shows only the way to it."""
    for parent in reversed(folder.parents):
        if not parent.stat().st_mode & 1:
            script = f"""set -eu
                mount --bind {folder} /etc/kept
                mount -t tmpfs -o mode=755 tmpfs {parent}
                mkdir -p {folder} && mount --move /etc/kept {folder}"""
            subprocess.run(["sh", "-c", script], check=True)


def project(folder: Path, kafka: SecuredKafka) -> str:
    """Make a project with `touchstream init --compose`, for a Kafka of others; give its key."""
    shutil.copy(FILE, folder)
    command = [sys.executable, "-m", "pipeline.cli", "init", "--compose"]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    subprocess.run(command, cwd=folder, env=environment, check=True, stdout=subprocess.DEVNULL)
    (folder / "deploy/settings").mkdir()
    shutil.copy(kafka.folder / "ca.pem", folder / "deploy/settings")
    (folder / "deploy/secrets/touchstream_kafka_password").write_text(PASSWORD + "\n")
    (folder / "deploy/secrets/touchstream_webhook_endpoints").write_text(_ENDPOINTS)
    login = kafka.variables("touchstream") | {"TOUCHSTREAM_KAFKA_CA_FILE": "ca.pem"}
    login["TOUCHSTREAM_CLICKHOUSE_URL"] = "http://127.0.0.1:8123"  # the engine takes no other name
    del login["TOUCHSTREAM_KAFKA_PASSWORD"]
    with (folder / ".env").open("a") as file:
        file.writelines(f"{name}={value}\n" for name, value in login.items())
    return env_file(folder / ".env")["TOUCHSTREAM_WRITE_KEYS"].partition(":")[0]


async def grant(kafka: SecuredKafka) -> None:
    """Give the one user every right that a role needs; return when the broker knows."""
    known = kafka.settings(
        "touchstream",
        webhook_endpoints=json.loads(_ENDPOINTS),
        write_keys={"wk": "shop"},
        collector_key_events=1,
    )
    rights = [right for role in NEEDED for right in rights_of(known, role)]
    await kafka.grant("touchstream", rights)
    while await lacking_rights(known, rights):  # noqa: ASYNC110 - nobody tells when
        await asyncio.sleep(0.1)


async def show(boot: Boot, key: str) -> str:
    """Send a touchpoint; return when it is on the live page."""
    code, link = await boot.run("live", ["touchstream", "live", "--link"])
    assert code == 0, link
    password = base64.b64encode(f"{key}:".encode()).decode()
    call = {"messageId": "m-1", "anonymousId": "me", "name": "Start", "type": "page"}
    headers = {"Authorization": f"Bearer {link.partition('token=')[2]}"}
    async with aiohttp.ClientSession() as session:
        url = "http://collector:8080/v1/batch"
        basic = {"Authorization": f"Basic {password}"}
        async with session.post(url, json={"batch": [call]}, headers=basic) as answer:
            assert answer.status == 200, await answer.text()
        url = "http://live:8090/api/stream?site=shop"
        async with asyncio.timeout(60), session.get(url, headers=headers) as stream:
            async for name, told in events(stream):
                rows = told.get("rows") or () if name == "arrived" else ()
                if any(row["touchpoint_id"] == "m-1" for row in rows):
                    return "the touchpoint is on the live page"
    return "the live page ended"


async def main(folder: Path) -> None:
    isolate()
    engine = EngineServer(folder / "engine")
    engine.port = 8123
    (folder / "kafka").mkdir()
    async with SecuredKafka(folder / "kafka", ["touchstream"]) as kafka, engine:
        key = project(folder, kafka)
        await grant(kafka)
        boot = Boot(folder)
        for name in ONCE:
            code, said = await boot.run(name, boot.roles[name].command)
            print(f"{name} ended with {code}", said if code else "", flush=True)
        stay = [name for name in boot.roles if name not in ONCE]
        await asyncio.gather(*map(boot.start, stay))
        print("healthy:", *sorted(stay), flush=True)
        print(await show(boot, key), flush=True)
        codes = await asyncio.gather(*map(boot.stop, stay))
        print("stopped:", *sorted(f"{n}={c}" for n, c in zip(stay, codes, strict=True)))


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
