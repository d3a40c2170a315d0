"""The form in which the tracker's memory is written is known by a number.

Run as a program, it writes `state_format.json` anew.
"""

import json
from pathlib import Path
from typing import Any

import msgspec
from msgspec import inspect, structs

from pipeline.journey.messages import Assignment, Erasure, Handover, Link, Rebuild
from pipeline.journey.people import Node
from pipeline.journey.state import Evidence, PersonState, VisitorState
from pipeline.tracker.partition import FORMAT, Erased, Meta

GOLDEN = Path(__file__).with_name("state_format.json")
WRITTEN = (VisitorState, PersonState, Evidence, Node, Erased, Meta)
TOLD = (Link, Assignment, Handover, Erasure, Rebuild)


def shapes() -> dict[str, list[str]]:
    """Give what is written to the log and the changelog: fields in order, types, defaults."""
    found: dict[str, list[str]] = {}
    for info in inspect.multi_type_info(WRITTEN + TOLD):
        gather(info, found)
    return dict(sorted(found.items()))


def gather(info: Any, found: dict[str, list[str]]) -> None:
    if isinstance(info, inspect.StructType) and info.cls.__name__ not in found:
        config = info.cls.__struct_config__
        found[info.cls.__name__] = [
            f"in its place: {config.array_like}, without defaults: {config.omit_defaults}",
            *(shape(field) for field in structs.fields(info.cls)),
        ]
        for field in info.fields:
            gather(field.type, found)
    for name in ("item_type", "key_type", "value_type"):
        if hasattr(info, name):
            gather(getattr(info, name), found)
    for each in (*getattr(info, "types", ()), *getattr(info, "item_types", ())):
        gather(each, found)


def shape(field: structs.FieldInfo) -> str:
    factory = field.default_factory
    default = field.default if factory is msgspec.NODEFAULT else f"{factory.__name__}()"
    return f"{field.encode_name}: {field.type} = {default}"


def test_another_form_has_another_number() -> None:
    golden = json.loads(GOLDEN.read_text(encoding="utf-8"))
    assert shapes() == golden["shapes"], "count up FORMAT in tracker/partition.py, write this anew"
    assert golden["format"] == FORMAT


if __name__ == "__main__":
    told = {"format": FORMAT, "shapes": shapes()}
    GOLDEN.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")
