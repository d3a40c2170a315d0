"""Installs the clients, unmodified, into `.cache`, and bundles those of browsers as shops do."""

import asyncio
import hashlib
import shutil
import sys
from pathlib import Path

from tests.clients.clients import HERE, Client

_CACHE = HERE.parents[1] / ".cache" / "clients"
_ENTRIES = {
    "beacon.js": "./sdks/nothing.mjs",
    "rudderstack-browser-3": "rudderstack-browser-3/bundled",
}
"""What is imported, where it is not the package: RudderStack's other build loads plug-ins."""


async def npm_folder() -> Path:
    """Give a folder with `node_modules` and our scripts."""
    lock = HERE / "package-lock.json"
    folder = _CACHE / f"npm-{hashlib.sha256(lock.read_bytes()).hexdigest()[:12]}"
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / "ready").exists():
        for file in (lock, HERE / "package.json"):
            shutil.copy(file, folder)
        # Two clients ask for peers that do not meet; none of these is needed to run them.
        quiet = ("--ignore-scripts", "--no-audit", "--no-fund", "--legacy-peer-deps")
        await _done("npm", "ci", *quiet, folder=folder)
        (folder / "ready").touch()
    shutil.rmtree(folder / "sdks", ignore_errors=True)
    shutil.copytree(HERE / "sdks", folder / "sdks")
    return folder


async def pypi_folder(client: Client) -> Path:
    """Give a folder with a package of PyPI, for PYTHONPATH."""
    folder = _CACHE / f"{client.package}-{client.version}"
    if not (folder / "ready").exists():
        folder.mkdir(parents=True, exist_ok=True)
        pip = (sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check")
        wanted = f"{client.package}=={client.version}"
        await _done(*pip, "--target", str(folder), wanted, *client.also, folder=folder)
        (folder / "ready").touch()
    return folder


async def bundle(client: Client, npm: Path) -> Path:
    """Bundle what a page of `client` loads."""
    out = npm / "bundles" / f"{client.package}.js"
    sdk = _ENTRIES.get(client.package, client.package)
    await _done(
        *("node_modules/.bin/esbuild", "sdks/run.browser.mjs", "--bundle", f"--outfile={out}"),
        *(f"--alias:client=./sdks/{client.script}.browser.mjs", "--log-level=error"),
        f"--alias:sdk={sdk}",
        '--define:process.env.NODE_ENV="production"',
        folder=npm,
    )
    return out


async def _done(*command: str, folder: Path) -> None:
    process = await asyncio.create_subprocess_exec(
        *command, cwd=folder, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    said, _ = await process.communicate()
    if process.returncode:
        raise RuntimeError(f"{' '.join(command[:6])}: {said.decode()[-500:]}")
