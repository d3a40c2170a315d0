"""docker-compose.yml as Compose reads it: variables filled in, what each of our services gets."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
FILE = ROOT / "docker-compose.yml"
IMAGE = "touchstream:"

_VARIABLE = re.compile(r"\$\{(\w+)(?::([-?])([^}]*))?\}")


def read(variables: Mapping[str, str]) -> dict[str, Any]:
    """Give the file with `variables` filled in; KeyError if one is missing that has no default."""

    def value_of(match: re.Match[str]) -> str:
        name, mark, otherwise = match.groups()
        if given := variables.get(name):
            return given
        if mark != "-":
            raise KeyError(f"{name}: {otherwise}")
        return str(otherwise)

    found: dict[str, Any] = yaml.safe_load(_VARIABLE.sub(value_of, FILE.read_text()))
    return found


def variables() -> set[str]:
    """Name the variables that the file is filled in with."""
    return {name for name, _, _ in _VARIABLE.findall(FILE.read_text())}


def env_file(path: Path) -> dict[str, str]:
    """Read `.env` as Compose does: a value may stand in quotes."""
    lines = [line for line in path.read_text().splitlines() if line and not line.startswith("#")]
    pairs = (line.partition("=") for line in lines)
    return {name: value.strip().strip("'\"") for name, _, value in pairs}


@dataclass(frozen=True)
class Role:
    """One of our services: what it is called with, and what it gets."""

    name: str
    command: tuple[str, ...]
    health: tuple[str, ...]
    environment: Mapping[str, str]
    secrets: Mapping[str, Path]
    stop_seconds: float


def roles(folder: Path) -> dict[str, Role]:
    """Give our services, as Compose starts them in the project's `folder`."""
    env = env_file(folder / ".env")
    whole = read(env)
    return {
        name: Role(
            name,
            ("touchstream", *service["command"]),
            tuple(service.get("healthcheck", {}).get("test", ())[1:]),
            env | {key: str(value) for key, value in service["environment"].items()},
            {name: folder / whole["secrets"][of]["file"] for name, of in secrets_of(service)},
            float(service.get("stop_grace_period", "10s").removesuffix("s")),
        )
        for name, service in whole["services"].items()
        if service["image"].startswith(IMAGE)
    }


def secrets_of(service: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Give the secrets of a service: under which name it finds each, and which it is."""
    return [
        (secret, secret) if isinstance(secret, str) else (secret["target"], secret["source"])
        for secret in service.get("secrets", ())
    ]
