"""Settings of the collector."""

from datetime import timedelta
from pathlib import Path
from typing import Any

from pydantic import BaseModel, Field, IPvAnyNetwork, field_validator

from pipeline.settings.kinds import Count, Duration, Wait, Word
from schemas.fields import Site
from schemas.property_rules import PropertyRules
from schemas.write_key import WriteKey

_PATH = r"^/[\w./-]+$"


class CollectorSettings(BaseModel):
    """What the collector takes, from whom and how much."""

    write_keys: dict[Word, WriteKey] = Field(
        default_factory=dict,
        description="Write key -> site, or what the key may. The key stands in the page; it "
        'identifies, it does not authenticate. Example: {"wk_live_4f1c": "shop"}; see '
        "docs/limits.md.",
    )
    collector_host: str = Field("127.0.0.1", description="Address the collector listens on.")
    collector_port: int = Field(8080, ge=1, le=65535, description="Port of the collector.")
    collector_origins: list[str] = Field(
        default_factory=list,
        description="Web origins that may send from a browser; empty: every origin.",
    )
    collector_max_body: Count = Field(
        500_000, description="Largest request body in bytes, as sent and after gzip."
    )
    collector_max_batch: Count = Field(1_000, description="Most events in one batch.")
    collector_max_event: Count = Field(
        32_768,
        le=131_072,
        description="Largest single event in bytes; the tracker's limit at most.",
    )
    collector_max_depth: Count = Field(8, description="Deepest nesting of an event.")
    collector_max_age: Duration = Field(
        timedelta(days=30), description="Events older than this are refused."
    )
    collector_batch_wait: Wait = Field(
        timedelta(milliseconds=5), description="How long an event waits for company."
    )
    collector_ack_timeout: Duration = Field(
        timedelta(seconds=5), description="After this without Kafka's word: 503."
    )
    collector_max_pending: Count = Field(
        64_000_000, description="Bytes waiting for Kafka at most; beyond: 503."
    )
    collector_trusted_proxies: list[IPvAnyNetwork] = Field(
        default_factory=list,
        description="Networks of proxies whose X-Forwarded-For is believed: behind it stands the "
        'client. Example: ["10.0.0.0/8"]',
    )
    collector_burst: timedelta = Field(
        timedelta(seconds=10),
        ge=timedelta(seconds=1),
        le=timedelta(hours=1),
        description="What the rates below bring in this time may come at once.",
    )
    collector_network_events: int = Field(
        1_000, ge=0, description="Events a second of a network (/24, /48); 0: no limit."
    )
    collector_network_bytes: int = Field(
        2_000_000, ge=0, description="Bytes of bodies a second of a network; 0: no limit."
    )
    collector_network_refusals: int = Field(
        10,
        ge=0,
        description="Refused requests a second of a network: so much more each costs. 0: no limit.",
    )
    collector_network_requests: int = Field(
        200, ge=0, description="Requests of a network at the same time; 0: no limit."
    )
    collector_key_events: int = Field(
        0,
        ge=0,
        description="Events a second of a write key; beyond it they take the overflow topic, which "
        "needs `touchstream drain`. 0: no limit.",
    )
    collector_max_names: int = Field(
        2_000,
        ge=1,
        description="Different names of touchpoints of a site in a day, beside those that "
        "Segment's specification has.",
    )
    collector_beacon_path: str = Field(
        "/beacon.js", pattern=_PATH, description="Where pages get the beacon from."
    )
    collector_beacon_endpoint: str = Field(
        "/v1/batch",
        pattern=_PATH,
        description="Where the beacon sends to: another name for /v1/batch.",
    )
    collector_cookieless: bool = Field(
        False,
        description="Take calls of browsers without any id: a hash of site, network and browser "
        "stands for it, with a salt that is forgotten every midnight (UTC) and at a restart.",
    )
    property_rules: dict[Site, PropertyRules] = Field(
        default_factory=dict,
        description="Site -> which properties are kept and what is masked, at every endpoint; "
        'docs/privacy.md explains it. Example: {"shop": {"deny": ["birthday"], '
        '"mask": ["email", "card", "iban", "secret", "phone"]}}',
    )
    country_database: Path | None = Field(
        None,
        description="A MaxMind DB file (.mmdb) by which the collector names the country of an "
        "address before it truncates it.",
    )

    @property
    def has_shares(self) -> bool:
        """Whether any write key has a share, beyond which there is the overflow topic."""
        shares = [key.events_per_second for key in self.write_keys.values()]
        return any(self.collector_key_events if share is None else share for share in shares)

    @field_validator("country_database", mode="before")
    @classmethod
    def _none_if_empty(cls, path: Any) -> Any:
        return None if path == "" else path
