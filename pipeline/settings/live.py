"""Settings of the live page."""

from datetime import timedelta
from typing import Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BaseModel, Field, field_validator

from pipeline.settings.kinds import Duration, OwnSecret, http
from schemas.fields import Site


def _known(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError(f"no time zone {name!r}; write it as Europe/Berlin") from error
    return name


TimeZone = Annotated[str, AfterValidator(_known)]


class LiveSettings(BaseModel):
    """Where the live page is, and who may look."""

    live_host: str = Field("127.0.0.1", description="Address the live page listens on.")
    live_port: int = Field(8090, ge=1, le=65535, description="Port of the live page.")
    live_url: str = Field(
        "", description="The live page, as those who look at it reach it; else its own address."
    )
    live_keys: list[OwnSecret] = Field(
        default_factory=list,
        description="Secrets that sign the links to the live page: the first signs, all are "
        "accepted; 32 characters at least. `touchstream up` makes one and keeps it.",
    )
    live_collector: str = Field(
        "",
        description="The collector, as the live page reaches it, which asks it what was sent in "
        "the last minutes; else TOUCHSTREAM_PUBLIC_URL. Give it the same TOUCHSTREAM_LIVE_KEYS.",
    )
    live_link_lifetime: Duration = Field(
        timedelta(days=90), description="How long a link to the live page opens it."
    )
    live_streams: int = Field(
        2_000, ge=1, description="Open pages that are kept up to date; beyond: 503."
    )
    site_time_zones: dict[Site, TimeZone] = Field(
        default_factory=dict,
        description="Site -> the time zone in which the live page tells its times; else UTC. "
        'Example: {"shop": "Europe/Berlin"}',
    )

    @field_validator("live_url", "live_collector")
    @classmethod
    def _live_http(cls, url: str) -> str:
        return http(url) if url else ""

    @property
    def live_address(self) -> str:
        """Where the live page is reached."""
        return self.live_url or f"http://{self.live_host}:{self.live_port}"
