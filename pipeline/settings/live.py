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
    """Where the live page is, and who may open it."""

    live_host: str = Field("127.0.0.1", description="Address the live page listens on.")
    live_port: int = Field(8090, ge=1, le=65535, description="Port of the live page.")
    live_url: str = Field(
        "", description="URL under which people open the live page; by default its own address."
    )
    live_keys: list[OwnSecret] = Field(
        default_factory=list,
        description="Secrets that sign the links to the live page: the first signs, all are "
        "accepted; at least 32 characters. `touchstream up` generates one and keeps it.",
    )
    live_collector: str = Field(
        "",
        description="URL under which the live page asks the collector what was sent in the last "
        "minutes; by default TOUCHSTREAM_PUBLIC_URL. Give the collector the same "
        "TOUCHSTREAM_LIVE_KEYS.",
    )
    live_link_lifetime: Duration = Field(
        timedelta(days=90), description="How long a link to the live page is valid."
    )
    live_streams: int = Field(
        2_000,
        ge=1,
        description="Most open pages that are kept up to date; beyond that the answer is 503.",
    )
    site_time_zones: dict[Site, TimeZone] = Field(
        default_factory=dict,
        description="Site -> the time zone of times on the live page; by default UTC. Example: "
        '{"shop": "Europe/Berlin"}',
    )

    @field_validator("live_url", "live_collector")
    @classmethod
    def _live_http(cls, url: str) -> str:
        return http(url) if url else ""

    @property
    def live_address(self) -> str:
        """The URL of the live page."""
        return self.live_url or f"http://{self.live_host}:{self.live_port}"
