"""The kinds of values that settings have."""

from datetime import timedelta
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, SecretStr

from schemas.errors import Unusable
from schemas.fields import Site


class BadSettings(Unusable):
    """The settings cannot be read; the text says which and why."""


def _no_sample(secret: SecretStr) -> SecretStr:
    if secret.get_secret_value().startswith("sample-"):
        raise ValueError(
            "is the sample from the documentation; generate your own: openssl rand -hex 32"
        )
    return secret


def _own(secret: SecretStr) -> SecretStr:
    text = secret.get_secret_value()
    if text and len(text) < _SHORTEST_SECRET:
        raise ValueError(
            f"has fewer than {_SHORTEST_SECRET} characters; generate one: openssl rand -hex 32"
        )
    return secret


def _there(secret: SecretStr) -> SecretStr:
    if not secret.get_secret_value():
        raise ValueError("is empty; generate one: openssl rand -hex 32")
    return secret


_SHORTEST_SECRET = 32

ProviderSecret = Annotated[SecretStr, Field(min_length=8), AfterValidator(_no_sample)]
"""A secret that a provider chose; those in the documentation begin with `sample-`."""

Secret = Annotated[SecretStr, AfterValidator(_no_sample), AfterValidator(_own)]
"""A secret that the user generates, or none."""

OwnSecret = Annotated[Secret, AfterValidator(_there)]
"""A secret that the user generates."""


_LONGEST = timedelta(days=36_500)

Duration = Annotated[timedelta, Field(gt=timedelta(0), le=_LONGEST)]
"""A positive length of time, up to 100 years."""

Wait = Annotated[timedelta, Field(ge=timedelta(0), le=_LONGEST)]
"""The same, or zero."""

Count = Annotated[int, Field(ge=1)]

File = Annotated[Path | None, BeforeValidator(lambda path: None if path == "" else path)]
"""A path, or nothing."""

Word = Annotated[str, Field(pattern=r"^\S+$")]
"""A text without blanks that is not empty."""

RetainedTable = Literal[
    "touchpoints",
    "sessions",
    "transitions",
    "abandonments",
    "dead_letters",
    "funnel_hours",
    "visitor_days",
    "order_touchpoints",
    "bot_sessions",
]

RetainedTopic = Literal[
    "touchpoints.raw",
    "touchpoints.overflow",
    "touchpoints",
    "sessions",
    "transitions",
    "abandonments",
    "identities",
    "links",
    "dead-letters",
]
"""All but the tracker's memory, which keeps the newest state of each visitor."""

EndpointName = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,31}$")]


class WebhookEndpoint(BaseModel):
    """Where facts are posted, and which ones; an empty filter lets everything pass.

    `kinds` are `transition`, `abandonment`, or the kinds of one of them, such as `cart`.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    url: Annotated[str, Field(pattern=r"^https?://[^\s@]+$")]
    secret: OwnSecret
    kinds: frozenset[str] = frozenset()
    models: frozenset[str] = frozenset()
    sites: frozenset[Site] = frozenset()


def http(url: str) -> str:
    """Check the URL of a web server, and remove the slash at its end."""
    if not url.startswith(("http://", "https://")):
        raise ValueError("must start with http:// or https://")
    return url.rstrip("/")
