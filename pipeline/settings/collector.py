"""Settings of the collector."""

from datetime import timedelta

from pydantic import BaseModel, Field, IPvAnyNetwork

from pipeline.settings.kinds import Count, Duration, File, Wait, Word
from schemas.fields import Site
from schemas.property_rules import PropertyRules
from schemas.write_key import WriteKey

_PATH = r"^/[\w./-]+$"


class CollectorSettings(BaseModel):
    """What the collector accepts, from whom and how much."""

    write_keys: dict[Word, WriteKey] = Field(
        default_factory=dict,
        description="Write key -> site, or a table of what the key may do. The key is visible "
        'in the page: it identifies, it does not authenticate. Example: {"wk_live_4f1c": "shop"}; '
        "see docs/limits.md.",
    )
    collector_host: str = Field("127.0.0.1", description="Address the collector listens on.")
    collector_port: int = Field(8080, ge=1, le=65535, description="Port of the collector.")
    collector_origins: list[str] = Field(
        default_factory=list,
        description="Web origins from which browsers may send; empty: every origin.",
    )
    collector_max_body: Count = Field(
        500_000, description="Largest request body in bytes, before and after decompression."
    )
    collector_max_batch: Count = Field(1_000, description="Most events in one batch.")
    collector_max_event: Count = Field(
        32_768,
        le=131_072,
        description="Largest single event in bytes; at most the tracker's limit.",
    )
    collector_max_depth: Count = Field(8, description="Deepest nesting of an event.")
    collector_max_age: Duration = Field(
        timedelta(days=30), description="Events older than this are refused."
    )
    collector_batch_wait: Wait = Field(
        timedelta(milliseconds=5),
        description="How long an event waits for others, to be sent to Kafka together.",
    )
    collector_ack_timeout: Duration = Field(
        timedelta(seconds=5),
        description="How long to wait for Kafka's acknowledgement before answering 503.",
    )
    collector_max_pending: Count = Field(
        64_000_000, description="Most bytes that may wait for Kafka; beyond that the answer is 503."
    )
    collector_trusted_proxies: list[IPvAnyNetwork] = Field(
        default_factory=list,
        description="Networks of proxies whose X-Forwarded-For names the client. The header is "
        'ignored from any other address. Example: ["10.0.0.0/8"]',
    )
    collector_burst: timedelta = Field(
        timedelta(seconds=10),
        ge=timedelta(seconds=1),
        le=timedelta(hours=1),
        description="A burst may use up what the rates below allow in this time.",
    )
    collector_network_events: int = Field(
        1_000, ge=0, description="Events per second from one network (/24, /48); 0: no limit."
    )
    collector_network_bytes: int = Field(
        2_000_000,
        ge=0,
        description="Bytes of request bodies per second from one network; 0: no limit.",
    )
    collector_network_refusals: int = Field(
        10,
        ge=0,
        description="Refused requests per second from one network; 0: no limit.",
    )
    collector_network_requests: int = Field(
        200, ge=0, description="Requests from one network at the same time; 0: no limit."
    )
    collector_key_events: int = Field(
        0,
        ge=0,
        description="Events per second of one write key. Events beyond it go to the overflow "
        "topic, which needs `touchstream drain`. 0: no limit.",
    )
    collector_max_names: int = Field(
        2_000,
        ge=1,
        description="Different touchpoint names per site and day, besides those of Segment's "
        "specification.",
    )
    collector_beacon_path: str = Field(
        "/beacon.js", pattern=_PATH, description="Path of the beacon's script."
    )
    collector_beacon_endpoint: str = Field(
        "/v1/batch",
        pattern=_PATH,
        description="Path the beacon sends to: another name for /v1/batch.",
    )
    collector_cookieless: bool = Field(
        False,
        description="Accept calls from browsers without an id. The id is then a hash of site, "
        "network and browser, with a salt that is discarded every midnight (UTC) and at a "
        "restart.",
    )
    property_rules: dict[Site, PropertyRules] = Field(
        default_factory=dict,
        description="Site -> which properties are kept and which are masked, for every kind of "
        'input; docs/privacy.md explains it. Example: {"shop": {"deny": ["birthday"], '
        '"mask": ["email", "card", "iban", "secret", "phone"]}}',
    )
    country_database: File = Field(
        None,
        description="A MaxMind DB file (.mmdb). The collector looks up the country of an "
        "address in it before it truncates the address.",
    )

    @property
    def has_shares(self) -> bool:
        """Whether any write key has a share, beyond which events go to the overflow topic."""
        shares = [key.events_per_second for key in self.write_keys.values()]
        return any(self.collector_key_events if share is None else share for share in shares)
