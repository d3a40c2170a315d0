"""The field types that all contracts share. Floor 1: imports nothing of ours.

Each alias carries its constraint twice, once for pydantic (which validates what comes from
outside and writes the JSON Schema) and once for msgspec (which decodes on the hot path). A test
checks both with the same golden examples. Only pydantic knows that texts have no control
characters: as a pattern for msgspec, that would triple the cost of a touchpoint. So `schemas.codec`
looks for them only in values that contain a backslash.
"""

from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Raw
from pydantic import (
    AfterValidator,
    Field,
    GetPydanticSchema,
    StringConstraints,
    WithJsonSchema,
)
from pydantic_core import core_schema

# No control characters: they have no place in a name and forge log lines.
PRINTABLE = r"^[^\x00-\x1f\x7f]*$"
LONGEST_SITE = 63
SITE = rf"^[a-z0-9][a-z0-9._-]{{0,{LONGEST_SITE - 1}}}$"


def _text(longest: int, shortest: int = 0) -> Any:
    return (
        StringConstraints(min_length=shortest, max_length=longest, pattern=PRINTABLE),
        Meta(min_length=shortest, max_length=longest),
    )


def _aware(value: datetime) -> datetime:
    if value.tzinfo is None:
        raise ValueError("must name its time zone")
    return value


def _raw_object(value: object) -> Raw:
    if isinstance(value, Raw):
        return value
    if not isinstance(value, dict):
        raise ValueError("must be a JSON object")  # noqa: TRY004 - pydantic wants this
    return Raw(msgspec.json.encode(value))


_RAW_OBJECT_SCHEMA = core_schema.no_info_plain_validator_function(
    _raw_object,
    serialization=core_schema.plain_serializer_function_ser_schema(msgspec.json.decode),
)

Site = Annotated[str, StringConstraints(pattern=SITE), Meta(pattern=SITE)]
"""The shop or brand a touchpoint belongs to: a lower-case slug."""

UncheckedSite = Annotated[str, StringConstraints(pattern=SITE)]
"""A site whose pattern only pydantic knows: `schemas.codec` checks each site once."""

LONGEST_ID = 128
"""Characters of an id or a name."""

Id = Annotated[str, *_text(LONGEST_ID, shortest=1)]
OptionalId = Annotated[str, *_text(LONGEST_ID)]
VisitorId = Annotated[str, *_text(LONGEST_ID + len("user:"), shortest=1)]
Name = Annotated[str, *_text(LONGEST_ID, shortest=1)]
Label = Annotated[str, *_text(256)]
Text = Annotated[str, *_text(4096)]
Count = Annotated[int, Field(ge=0), Meta(ge=0)]

Placeholder = Annotated[str, AfterValidator(str.casefold)]
"""A word that means nobody, compared without case."""

LARGEST_SEQUENCE = 2**53 - 1
"""The largest JSON number that is exact everywhere."""

Order = Annotated[int, Field(ge=0, le=LARGEST_SEQUENCE), Meta(ge=0, le=LARGEST_SEQUENCE)]
"""A position in an order: the lower number came first."""

Instant = Annotated[datetime, AfterValidator(_aware), Meta(tz=True)]
"""A point in time with its zone; ISO 8601 in JSON, milliseconds count, UTC in ClickHouse."""

JsonObject = Annotated[
    Raw,
    GetPydanticSchema(lambda _source, _handler: _RAW_OBJECT_SCHEMA),
    WithJsonSchema({"type": "object"}),
]
"""A JSON object kept as bytes: nobody on the way pays for parsing what only analysts read."""

Language = Literal["en", "de"]
"""Of labels of phases and KPIs."""

Channel = Literal[
    "website",
    "shop",
    "newsletter",
    "email",
    "app",
    "search",
    "social",
    "ads",
    "referral",
    "store",
    "phone",
    "chat",
    "messenger",
    "catalogue",
    "order_card",
    "delivery",
    "support",
    "review",
    "survey",
]
"""Where a touchpoint happened. What brought the visit (traffic source) is another column."""
