"""The contracts as JSON Schema, for those who write or read the topics in another language.

Floor 1: imports nothing of ours. `python -m schemas.json_schema` writes `schemas/json`.
"""

import json
from pathlib import Path

from pydantic import TypeAdapter
from pydantic.json_schema import GenerateJsonSchema

from schemas.codec import Tick
from schemas.dead_letter import DeadLetter
from schemas.facts import Abandonment, Identity, Link, Session, Transition
from schemas.journeys import JourneyModel
from schemas.touchpoint import Touchpoint, TouchpointRow

FOLDER = Path(__file__).parent / "json"

CONTRACTS: dict[str, type] = {
    "touchpoint": Touchpoint,
    "touchpoint_row": TouchpointRow,
    "tick": Tick,
    "session": Session,
    "transition": Transition,
    "abandonment": Abandonment,
    "identity": Identity,
    "link": Link,
    "dead_letter": DeadLetter,
    "journey_model": JourneyModel,
}


def schema_files() -> dict[str, str]:
    """Return the text of each file of `schemas/json`, by its name."""
    return {f"{name}.schema.json": _schema(contract) for name, contract in CONTRACTS.items()}


def _schema(contract: type) -> str:
    schema = {"$schema": GenerateJsonSchema.schema_dialect, **TypeAdapter(contract).json_schema()}
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    for file_name, text in schema_files().items():
        (FOLDER / file_name).write_text(text)
