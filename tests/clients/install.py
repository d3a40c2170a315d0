"""Installs the clients, unmodified, into `.cache`, and bundles those of browsers as shops do."""

import asyncio
import hashlib
import re
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

from tests.clients.clients import HERE, Client

_CACHE = HERE.parents[1] / ".cache" / "clients"
_ENTRIES = {
    "beacon.js": "./sdks/nothing.mjs",
    "matomo-native": "matomo-native/src/MatomoTracker.js",
    "rudderstack-browser-3": "rudderstack-browser-3/bundled",
    "@rudderstack/analytics-js": "@rudderstack/analytics-js/bundled",
}
"""What is imported, where it is not the package: RudderStack's other build loads plug-ins, and that
of Matomo for phones has parts for React."""

_RUBY = Path("/usr/share/rubygems-integration/all/gems/snowplow-tracker-0.6.1")
_TOOLS = {
    "java": (("java", "-version"), ("javac", "-version"), ("mvn", "--version")),
    "ruby": (("ruby", "--version"),),
    "go": (("go", "version"),),
    "rust": (("cargo", "--version"),),
}
_POM = """<project>
  <modelVersion>4.0.0</modelVersion>
  <groupId>clients</groupId><artifactId>clients</artifactId><version>1</version>
  <dependencies>{}</dependencies>
</project>
"""
_DEPENDENCY = (
    "<dependency><groupId>{}</groupId><artifactId>{}</artifactId><version>{}</version></dependency>"
)

_CARGO = """[package]
name = "clients"
edition = "2021"

[workspace]

[dependencies]
{} = "={}"
serde_json = "1"
tokio = {{ version = "1", features = ["rt-multi-thread"] }}
"""


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
    put_scripts(folder)
    return folder


def put_scripts(folder: Path) -> None:
    """Put our scripts beside `node_modules`."""
    shutil.rmtree(folder / "sdks", ignore_errors=True)
    shutil.copytree(HERE / "sdks", folder / "sdks")


async def pypi_folder(client: Client) -> Path:
    """Give a folder with a package of PyPI, for PYTHONPATH."""
    folder = _folder_of(client)
    if not (folder / "ready").exists():
        pip = (sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check")
        wanted = f"{client.package}=={client.version}"
        await _done(*pip, "--target", str(folder), wanted, *client.also, folder=folder)
        (folder / "ready").touch()
    return folder


async def command(client: Client, npm: Path) -> tuple[list[str], dict[str, str]]:
    """Install `client`; give how it is called, and in which environment."""
    if client.where == "python":
        path = {"PYTHONPATH": str(await pypi_folder(client))}
        return [sys.executable, "sdks/run.py", client.script], path
    if client.where == "go":
        return [str(await _built_go(client))], {}
    if client.where == "rust":
        return [str(await _built_rust(client))], {}
    if client.where == "java":
        folder = await _built_java(client)
        trust = await _trusted() if client.is_secure else []
        classes = ("-cp", f"{folder}:{folder}/target/dependency/*")
        return ["java", *trust, *classes, "Run", client.script], {}
    if client.where == "ruby":
        return ["ruby", "sdks/ruby/run.rb", client.script], {}
    return ["node", "sdks/run.node.mjs", client.script, client.package], {}


def is_possible(client: Client) -> bool:
    """Say whether what runs `client` is on this machine, and works for whoever runs this."""
    if client.where == "ruby" and not _RUBY.is_dir():
        return False
    return all(starts(*command) for command in _TOOLS.get(client.where, ()))


@cache
def starts(*command: str) -> bool:
    """Run a command that only names its version; False if there is none, or it fails.

    Rust's `cargo` may be a switch that knows no Rust in this home folder.
    """
    if not shutil.which(command[0]):
        return False
    asked = subprocess.run(command, capture_output=True, check=False, timeout=60)
    return asked.returncode == 0


async def _built_go(client: Client) -> Path:
    folder = _folder_of(client)
    if not (folder / "run").exists():
        for file in ("run.go", f"{client.script}.go"):
            code = (HERE / "sdks" / "go" / file).read_text()
            (folder / file).write_text(code.replace('"sdk"', f'"{client.package}"'))
        (folder / "go.mod").write_text("module clients\n\ngo 1.21\n")
        await _done("go", "get", f"{client.package}@{client.version}", folder=folder)
        await _done("go", "mod", "tidy", folder=folder)
        await _done("go", "build", "-o", "run", ".", folder=folder)
    return folder / "run"


async def _built_rust(client: Client) -> Path:
    folder = _folder_of(client)
    built = folder / "target" / "debug" / "clients"
    if not built.exists():
        (folder / "src").mkdir(exist_ok=True)
        sources = HERE / "sdks" / "rust"
        shutil.copy(sources / "run.rs", folder / "src" / "main.rs")
        shutil.copy(sources / f"{client.script}.rs", folder / "src" / "client.rs")
        (folder / "Cargo.toml").write_text(_CARGO.format(client.package, client.version))
        await _done("cargo", "build", "--quiet", folder=folder)
    return built


async def _built_java(client: Client) -> Path:
    folder = _folder_of(client)
    if not (folder / f"{client.script}.class").exists():
        wanted = (f"{client.package}:{client.version}", *client.also)
        needed = "".join(_DEPENDENCY.format(*each.split(":")) for each in wanted)
        (folder / "pom.xml").write_text(_POM.format(needed))
        await _done("mvn", "-q", "-B", "dependency:copy-dependencies", folder=folder)
        sources = (str(HERE / "sdks" / "java" / f"{name}.java") for name in ("Run", client.script))
        classes = ("-cp", "target/dependency/*", "-d", ".", "-encoding", "UTF-8")
        await _done("javac", *classes, *sources, folder=folder)
    return folder


async def certificate() -> tuple[Path, Path]:
    """Give a certificate of our own for `localhost`, and its key."""
    folder = _CACHE / "tls"
    folder.mkdir(parents=True, exist_ok=True)
    public, private = folder / "public.pem", folder / "private.pem"
    if not public.exists():
        names = ("-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost")
        made = ("-keyout", str(private), "-out", str(public), "-days", "3650")
        kind = ("-x509", "-newkey", "rsa:2048", "-nodes")
        await _done("openssl", "req", *kind, *made, *names, folder=folder)
    return public, private


async def _trusted() -> list[str]:
    """Give Java's options to trust our certificate."""
    public, _ = await certificate()
    store, word = public.with_name("trusted.p12"), "changeit"
    if not store.exists():
        told = ("-alias", "own", "-file", str(public), "-keystore", str(store))
        await _done("keytool", "-importcert", "-noprompt", *told, "-storepass", word, folder=_CACHE)
    start = "-Djavax.net.ssl.trustStore"
    return [f"{start}={store}", f"{start}Password={word}"]


def _folder_of(client: Client) -> Path:
    folder = _CACHE / re.sub(r"[^\w.-]", "-", f"{client.package}-{client.version}")
    folder.mkdir(parents=True, exist_ok=True)
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
