"""The base of all contracts. Floor 1: imports nothing of ours.

A contract is a msgspec struct, because the tracker makes and writes several for every touchpoint
and a struct costs a third of a dataclass. pydantic validates what comes from outside with the same
definition and writes the JSON Schema from it.
"""

from typing import Any, get_type_hints

import msgspec
from msgspec.structs import fields
from pydantic import GetCoreSchemaHandler, create_model
from pydantic_core import CoreSchema, core_schema


class Contract(msgspec.Struct, gc=False):
    """A shape of data that msgspec reads and writes, and that pydantic validates."""

    @classmethod
    def __get_pydantic_core_schema__(
        cls, _source: object, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        """Let pydantic validate a model with the same fields, and make the struct from it."""
        hints = get_type_hints(cls, include_extras=True)
        definitions: dict[str, Any] = {
            field.name: (hints[field.name], ... if field.required else field.default)
            for field in fields(cls)
        }
        model = create_model(cls.__name__, __doc__=cls.__doc__, **definitions)
        return core_schema.no_info_after_validator_function(
            lambda validated: cls(**dict(validated)),
            handler(model),
            serialization=core_schema.plain_serializer_function_ser_schema(_builtins),
        )


def _builtins(contract: Contract) -> object:
    return msgspec.json.decode(msgspec.json.encode(contract))
