"""A write key: which site it belongs to, and what it permits. Floor 1.

It is part of the page, where everybody can read it: it names a sender, but proves nothing.
"""

from typing import Annotated, Any

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, model_validator

from schemas.fields import Site

_Origin = Annotated[str, Field(pattern=r"^[a-z][a-z0-9+.-]*://[^\s/,]+$")]


class WriteKey(BaseModel):
    """What is known of a write key; in the settings the site alone is enough.

    `origins` are the web pages that may use it, none: those of the collector. It is accepted until
    `not_after`. Of what goes beyond `events_per_second` the collector makes the overflow topic, and
    beyond `events_per_day` (UTC) it refuses; 0 is no limit, None the collector's own. `currency` is
    that of shop events that name none.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    site: Site
    origins: frozenset[_Origin] = frozenset()
    not_after: AwareDatetime | None = None
    events_per_second: float | None = Field(None, ge=0)
    events_per_day: int = Field(0, ge=0)
    currency: str = Field("", pattern=r"^([A-Z]{3})?$")

    @model_validator(mode="before")
    @classmethod
    def _of_a_site(cls, value: Any) -> Any:
        return {"site": value} if isinstance(value, str) else value
