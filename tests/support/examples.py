"""The golden examples of `schemas/examples`: a folder for each contract."""

import json
from pathlib import Path
from typing import Any

import schemas

FOLDER = Path(schemas.__file__).parent / "examples"


def examples(*contracts: str, kind: str) -> list[Path]:
    """List the files of `kind`, valid or invalid, for `contracts`; ValueError if one has none."""
    found = {contract: sorted((FOLDER / contract / kind).glob("*.json")) for contract in contracts}
    if not all(found.values()):
        raise ValueError(f"no {kind} examples for one of {contracts}")
    return [path for paths in found.values() for path in paths]


def contract_of(path: Path) -> str:
    """Name the contract that an example is of."""
    return path.parts[-3]


def title_of(path: Path) -> str:
    """Name an example in the output of pytest."""
    return f"{contract_of(path)}-{path.stem}"


def parsed(path: Path) -> Any:
    """Read an example without any contract; ValueError if it is not JSON."""
    return json.loads(path.read_bytes())
