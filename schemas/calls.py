"""The requests to the collector over HTTP, and its answers. Floor 1.

These types describe them for people and for client generators. The collector itself reads calls
with its own, faster types. Tests send the same calls to both.
"""

from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from schemas.fields import LARGEST_SEQUENCE
from schemas.touchpoint import TouchpointType

_Name = Annotated[str, Field(max_length=128)]
_Identifier = _Name | float | bool | None
_Empty = Annotated[list[None], Field(max_length=0)]
"""An empty object, as PHP writes it."""
_Object = Annotated[dict[str, Any], Field(max_length=256)] | _Empty | None


class _Said(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)


class Call(_Said):
    """A call of Segment's tracking API. It names `anonymousId`, `userId` or both.

    Numbers are ids too, 7.0 is 7; `undefined`, `null` and their like name nobody. Fields that are
    not listed here may be sent and are left out, as Segment does.
    """

    type: TouchpointType | None = Field(
        None, description="Needed in a batch; elsewhere the path says it."
    )
    message_id: _Identifier = Field(
        None, description="Chosen by the sender: a call that comes twice with it counts once."
    )
    event: _Name | None = Field(None, description="Of a track call, which needs it: its name.")
    anonymous_id: _Identifier = Field(None, description="The device.")
    user_id: _Identifier = Field(None, description="The known user.")
    previous_id: _Identifier = Field(
        None, description="Of an alias call: the id that becomes userId."
    )
    group_id: _Identifier = Field(None, description="Of a group call: the group.")
    name: str | None = Field(None, description="Of a page or screen call: its name.")
    category: str | None = Field(None, description="Of a page or screen call: its category.")
    properties: _Object = Field(None, description="What the event says; kept as it is.")
    traits: _Object = Field(None, description="What is known of the user or group.")
    context: _Object = Field(None, description="page, userAgent, locale, channel and more.")
    timestamp: AwareDatetime | None = Field(None, description="When it happened.")
    original_timestamp: AwareDatetime | None = Field(
        None, description="The same by the clock of the device; goes before timestamp."
    )
    sent_at: AwareDatetime | None = Field(
        None, description="When it was sent, by the same clock: corrects a wrong one."
    )
    sequence: int | None = Field(
        None,
        ge=0,
        le=LARGEST_SEQUENCE,
        description="A number that the sender counts up: of calls of one time the lower came first."
        " Without it their order in the request decides.",
    )
    write_key: str | None = Field(None, description="For senders that cannot set Authorization.")


class CallBatch(_Said):
    """Several calls; bad ones do not affect the good ones."""

    batch: list[Call]
    sent_at: AwareDatetime | None = Field(None, description="Of all calls that name none.")
    write_key: str | None = Field(None, description="For senders that cannot set Authorization.")


class Taken(_Said):
    """Everything was accepted, and Kafka has acknowledged it."""

    success: Literal[True]


class RefusedCall(_Said):
    """A call of a batch that was refused."""

    index: int = Field(ge=0, description="Its place in the batch, from 0.")
    error: str = Field(description="A word of docs/errors.md.")
    detail: str = Field(description="A sentence for people; may change.")


class Outcome(_Said):
    """A batch with refused calls; `success` says whether any call was accepted."""

    success: bool
    accepted: int = Field(ge=0)
    refused: list[RefusedCall] = Field(min_length=1)


class Refusal(_Said):
    """Nothing of the request was accepted."""

    error: str = Field(description="A word of docs/errors.md, which never changes its meaning.")
    detail: str = Field(description="A sentence for people; may change.")


class SeenTouchpoint(BaseModel):
    """A touchpoint in short."""

    touchpoint_id: str = Field(description="As in the table `touchpoints`.")
    type: TouchpointType
    name: str
    anonymous_id: str
    user_id: str
    occurred_at: AwareDatetime
    is_bot: bool = Field(description="Its user agent is that of a crawler.")
    notes: list[Literal["repeated", "bot", "late", "waits"]] = Field(
        description="repeated: its visitor has sent this id before, it counts once. bot: it counts "
        "in no figure. late: it happened longer ago than TOUCHSTREAM_ALLOWED_LATENESS, and comes "
        "too late for a session if its site has newer ones. waits: it goes by the overflow topic."
    )
    became: Literal["", "counted", "bot", "late"] = Field(
        "",
        description="What the live page adds: how it stands in the tables; empty: not there yet.",
    )


class SeenRequest(BaseModel):
    """A request of the last minutes."""

    at: AwareDatetime
    path: str
    outcome: Literal["taken", "partly", "refused", "turned_away", "unavailable"] = Field(
        description="taken: all is in Kafka. partly, refused: some of it is not, or nothing. "
        "turned_away: nobody looked into it. unavailable: Kafka did not take it."
    )
    network: str = Field(description="Where it came from; the end of the address is cut off.")
    origin: str = Field(description="Of a request that was turned away: the page that sent it.")
    accepted: int = 0
    touchpoints: list[SeenTouchpoint] = Field(default=[], description="The first ten.")
    refused: list[RefusedCall] = Field(default=[], description="The first ten.")
    error: str = Field("", description="Why it was turned away: a word of docs/errors.md.")
    detail: str = ""


class Seen(BaseModel):
    """What arrived for a site in the last minutes, at this process; the newest first."""

    site: str
    minutes: int
    requests: list[SeenRequest]


class Health(_Said):
    """The collector is well."""

    status: Literal["live", "ready"]
