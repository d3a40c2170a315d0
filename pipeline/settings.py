"""All settings, in one place. A shell module: reads environment and file, decides nothing.

Every setting can come from the environment (`TOUCHSTREAM_KAFKA_BOOTSTRAP_SERVERS=...`), from a
TOML file (`touchstream.toml`, or the path in `TOUCHSTREAM_CONFIG`), or from a file of its name
(`touchstream_clickhouse_password`) in the folder `TOUCHSTREAM_SECRETS_DIR`. The environment wins
over the secrets, they over the TOML file.
"""

import json
import os
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    IPvAnyNetwork,
    SecretStr,
    ValidationInfo,
    field_validator,
)
from pydantic_core import to_jsonable_python
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from schemas.fields import Site
from schemas.property_rules import PropertyRules
from schemas.write_key import WriteKey

_PATH = r"^/[\w./-]+$"


class BadSettings(Exception):
    """The settings cannot be read; the text says which and why."""


def _no_sample(secret: SecretStr) -> SecretStr:
    if secret.get_secret_value().startswith("sample-"):
        raise ValueError("is the sample of the documentation; make one: openssl rand -hex 32")
    return secret


def _own(secret: SecretStr) -> SecretStr:
    text = secret.get_secret_value()
    if text and len(text) < _SHORTEST_SECRET:
        raise ValueError(f"has fewer than {_SHORTEST_SECRET} characters: openssl rand -hex 32")
    return secret


_SHORTEST_SECRET = 32

ProviderSecret = Annotated[SecretStr, Field(min_length=8), AfterValidator(_no_sample)]
"""A secret that a provider chose; those in the documentation begin with `sample-`."""

Secret = Annotated[SecretStr, AfterValidator(_no_sample), AfterValidator(_own)]
"""A secret of our own making."""


RetainedTable = Literal[
    "touchpoints", "sessions", "transitions", "abandonments", "dead_letters", "funnel_hours"
]

EndpointName = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,31}$")]


class WebhookEndpoint(BaseModel):
    """Where facts are posted to, and which; an empty filter lets everything pass.

    `kinds` are `transition`, `abandonment`, or the kinds of one of them, such as `cart`.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    url: Annotated[str, Field(pattern=r"^https?://[^\s@]+$")]
    secret: Secret
    kinds: frozenset[str] = frozenset()
    models: frozenset[str] = frozenset()
    sites: frozenset[Site] = frozenset()


class Settings(BaseSettings):
    """What the roles need to know. `touchstream settings` prints this list with its defaults."""

    model_config = SettingsConfigDict(
        env_prefix="TOUCHSTREAM_",
        extra="forbid",
        validate_default=True,
        hide_input_in_errors=True,
        secrets_dir=os.environ.get("TOUCHSTREAM_SECRETS_DIR"),
    )

    write_keys: dict[str, WriteKey] = Field(
        default_factory=dict,
        description="Write key -> site, or what the key may. The key stands in the page; it "
        'identifies, it does not authenticate. Example: {"wk_live_4f1c": "shop"}; see '
        "docs/limits.md.",
    )

    kafka_bootstrap_servers: str = Field(
        "127.0.0.1:9092", description="Brokers to start from, host:port separated by commas."
    )
    kafka_partitions: int = Field(
        4, ge=1, description="Partitions of every topic. Fixed once data is there."
    )
    kafka_replication: int = Field(
        1, ge=1, description="Copies of every partition; 3 in production."
    )
    kafka_idempotence: bool = Field(
        True, description="Idempotent producers. Off only for the embedded broker."
    )
    kafka_request_timeout: timedelta = Field(
        timedelta(seconds=30), description="How long a producer waits for the broker."
    )

    clickhouse_url: str = Field("http://127.0.0.1:8123", description="ClickHouse's HTTP interface.")
    clickhouse_user: str = Field("default", description="ClickHouse user.")
    clickhouse_password: SecretStr = Field(SecretStr(""), description="Its password.")
    clickhouse_database: str = Field("default", description="Database of all tables.")

    table_retention: dict[RetainedTable, Annotated[timedelta, Field(ge=timedelta(days=1))]] = Field(
        default_factory=dict,
        description="Table -> how long rows are kept, applied by `touchstream migrate` and `up`; a "
        'table without an entry keeps them for ever. Example: {"touchpoints": "P400D"}',
    )

    collector_host: str = Field("127.0.0.1", description="Address the collector listens on.")
    collector_port: int = Field(8080, ge=1, le=65535, description="Port of the collector.")
    collector_origins: list[str] = Field(
        default_factory=list,
        description="Web origins that may send from a browser; empty: every origin.",
    )
    collector_max_body: int = Field(
        500_000, description="Largest request body in bytes, as sent and after gzip."
    )
    collector_max_batch: int = Field(1_000, description="Most events in one batch.")
    collector_max_event: int = Field(
        32_768,
        le=131_072,
        description="Largest single event in bytes; the tracker's limit at most.",
    )
    collector_max_depth: int = Field(8, description="Deepest nesting of an event.")
    collector_max_age: timedelta = Field(
        timedelta(days=30), description="Events older than this are refused."
    )
    collector_batch_wait: timedelta = Field(
        timedelta(milliseconds=5), description="How long an event waits for company."
    )
    collector_ack_timeout: timedelta = Field(
        timedelta(seconds=5), description="After this without Kafka's word: 503."
    )
    collector_max_pending: int = Field(
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
        description="Events a second of a write key; beyond it they take the overflow lane, which "
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
        description="Site -> which properties are kept and what is masked, at every door; "
        'docs/privacy.md explains it. Example: {"shop": {"deny": ["birthday"], '
        '"mask": ["email", "card", "iban", "secret", "phone"]}}',
    )
    country_database: Path | None = Field(
        None,
        description="A MaxMind DB file (.mmdb) by which the collector names the country of an "
        "address before it truncates it.",
    )

    session_gap: timedelta = Field(
        timedelta(minutes=30), description="A longer silence starts a new session."
    )
    allowed_lateness: timedelta = Field(
        timedelta(hours=24),
        description="How far a touchpoint may lag behind its site's newest one.",
    )
    journey_timeout: timedelta = Field(
        timedelta(days=30),
        description="A longer silence ends a journey; who has not ordered is forgotten.",
    )
    journey_models: list[str] = Field(
        default_factory=lambda: ["lifecycle", "aida", "favorability", "canvas", "purchase"],
        description="Models to classify with: shipped names or paths of TOML files. The first is "
        "the default: its funnel is reported and watched, its abandonment rules hold.",
    )
    customer_timeout: timedelta = Field(
        timedelta(days=730),
        description="A longer silence and who has ordered is forgotten too: until then a journey "
        "after the journey timeout is the next cycle, and not before a purchase. Visitors known "
        "to be a person are remembered as long.",
    )
    evidence_retention: timedelta = Field(
        timedelta(days=30),
        description="How long the tracker keeps every touchpoint: a link between visitors that "
        "becomes known so much later still rewrites their journeys.",
    )
    shared_by_visitors: int = Field(
        100, description="A user, customer, address or subscriber with more visitors joins nobody."
    )
    shared_by_identifiers: int = Field(
        5, description="A visitor with more users, customers or addresses joins nobody: a kiosk."
    )
    traffic_sources: list[Path] = Field(
        default_factory=list,
        description="TOML files that add to the shipped list of traffic sources.",
    )
    referrer_exclusions: list[str] = Field(
        default_factory=list,
        description="Hosts that bring nobody, with all below them: own domains, payment providers.",
    )
    brand_terms: list[str] = Field(
        default_factory=list, description="A search for one of these is a branded search."
    )

    metrics_host: str = Field(
        "127.0.0.1", description="Address on which tracker, sink and watch show their metrics."
    )

    tracker_group: str = Field("touchstream-tracker", description="Kafka consumer group.")
    tracker_tick: timedelta = Field(
        timedelta(seconds=2), description="How often time is written into the log."
    )
    tracker_metrics_port: int = Field(9101, ge=0, le=65535, description="0: no metrics.")

    drain_group: str = Field("touchstream-drain", description="Kafka consumer group.")
    drain_rate: int = Field(
        500, gt=0, description="Touchpoints a second that each partition of the lane gives back."
    )
    drain_metrics_port: int = Field(9105, ge=0, le=65535, description="0: no metrics.")

    sink_group: str = Field("touchstream-sink", description="Kafka consumer group.")
    sink_batch_rows: int = Field(20_000, ge=1, description="Rows of one insert at most.")
    sink_batch_wait: timedelta = Field(
        timedelta(seconds=1), description="How long rows wait for a fuller insert."
    )
    sink_metrics_port: int = Field(9102, ge=0, le=65535, description="0: no metrics.")

    watch_interval: timedelta = Field(
        timedelta(seconds=60), description="How often drop-off is judged."
    )
    watch_days: int = Field(7, ge=1, description="Days before that are the yardstick.")
    watch_minimum: int = Field(
        50, ge=1, description="Fewer entries into a step than this: no judgement."
    )
    watch_metrics_port: int = Field(9103, ge=0, le=65535, description="0: no metrics.")

    embedded_path: Path = Field(
        Path(".touchstream"), description="Where the embedded engine keeps its tables."
    )

    site_salt: Secret = Field(
        SecretStr(""),
        description="Secret in the hashes of e-mail addresses, subscribers and IP addresses; 32 "
        "characters at least. Who changes it makes strangers of everybody known.",
    )
    site_hosts: dict[Site, list[str]] = Field(
        default_factory=dict,
        description="Site -> hosts of its own, which learn by `ts_link` who has clicked in a "
        'newsletter. Example: {"shop": ["shop.example", "www.shop.example"]}',
    )
    link_keys: list[Secret] = Field(
        default_factory=list,
        description="Secrets that sign newsletter links: the first signs, all are accepted; 32 "
        "characters at least.",
    )
    public_url: str = Field(
        "http://127.0.0.1:8080",
        description="The collector, as readers of mails and mail providers reach it.",
    )
    link_lifetime: timedelta = Field(
        timedelta(days=365), description="How long a newsletter link leads anywhere."
    )

    provider_secrets: dict[str, list[ProviderSecret]] = Field(
        default_factory=dict,
        description="Provider/site -> what signs its webhooks, several while one replaces another. "
        'Example: {"mailgun/shop": ["sample-signing-key"]}',
    )

    server_secrets: dict[Site, list[Secret]] = Field(
        default_factory=dict,
        description="Site -> secrets with which its own servers sign their calls; several while "
        "one replaces another.",
    )

    webhook_endpoints: dict[EndpointName, WebhookEndpoint] = Field(
        default_factory=dict,
        description="Name -> where transitions and abandonments go; see docs/webhooks.md.",
    )
    webhook_group: str = Field(
        "touchstream-webhook",
        description="Beginning of the consumer groups; the endpoint's name follows.",
    )
    webhook_attempts: int = Field(
        10, ge=1, description="After so many the message becomes a dead letter."
    )
    webhook_timeout: timedelta = Field(
        timedelta(seconds=10), description="How long an endpoint may take for its answer."
    )
    webhook_metrics_port: int = Field(9104, ge=0, le=65535, description="0: no metrics.")

    @property
    def has_shares(self) -> bool:
        """Whether any write key has a share, beyond which there is the overflow lane."""
        shares = [key.events_per_second for key in self.write_keys.values()]
        return any(self.collector_key_events if share is None else share for share in shares)

    @field_validator("link_keys", "provider_secrets", "server_secrets")
    @classmethod
    def _salted(cls, value: Any, info: ValidationInfo) -> Any:
        if value and not info.data.get("site_salt"):
            raise ValueError("needs TOUCHSTREAM_SITE_SALT, by which subscribers get other names")
        return value

    @field_validator("country_database", mode="before")
    @classmethod
    def _none_if_empty(cls, path: Any) -> Any:
        return None if path == "" else path

    @field_validator("clickhouse_url", "public_url")
    @classmethod
    def _http(cls, url: str) -> str:
        if not url.startswith(("http://", "https://")):
            raise ValueError("must start with http:// or https://")
        return url.rstrip("/")

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - no .env is read
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Order the sources: arguments, environment, secrets, file."""
        path = os.environ.get("TOUCHSTREAM_CONFIG", "touchstream.toml")
        if "TOUCHSTREAM_CONFIG" in os.environ and not Path(path).exists():
            raise BadSettings(f"TOUCHSTREAM_CONFIG: there is no file {path}")
        return (
            init_settings,
            env_settings,
            file_secret_settings,
            TomlConfigSettingsSource(settings_cls, Path(path)),
        )


def environment_of(settings: Settings) -> dict[str, str]:
    """Give the variables by which another process gets exactly these settings."""
    values = to_jsonable_python(_revealed(settings.model_dump()))
    return {f"TOUCHSTREAM_{name.upper()}": _as_text(value) for name, value in values.items()}


def _as_text(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value)


def _revealed(value: Any) -> Any:
    match value:
        case SecretStr():
            return value.get_secret_value()
        case dict():
            return {name: _revealed(part) for name, part in value.items()}
        case list() | frozenset():
            return [_revealed(part) for part in value]
    return value
