"""Settings of the Kafka that all roles share: where it is, and how they log in."""

from datetime import timedelta
from typing import Annotated, Literal

from pydantic import BaseModel, Field, SecretStr, ValidationInfo, field_validator

from pipeline.settings.kinds import Duration, File, RetainedTopic

Prefix = Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]*$", max_length=100)]
Mechanism = Literal["", "PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", "OAUTHBEARER"]


class KafkaSettings(BaseModel):
    """Kafka; docs/kafka.md explains TLS, login and rights."""

    kafka_bootstrap_servers: str = Field(
        "127.0.0.1:9092", description="Bootstrap brokers, host:port, separated by commas."
    )
    kafka_partitions: int = Field(
        4, ge=1, description="Partitions of every topic. Once there is data, more take a new log."
    )
    kafka_replication: int = Field(
        1, ge=1, description="Replicas of every partition; 3 in production."
    )
    kafka_prefix: Prefix = Field(
        "",
        description="What all names of topics and consumer groups begin with, on a Kafka that is "
        "shared with others, e.g. `team.`. Set it before the first `touchstream topics`.",
    )
    topic_retention: dict[RetainedTopic, Annotated[timedelta, Field(ge=timedelta(hours=1))]] = (
        Field(
            default_factory=dict,
            description="Topic -> how long records are kept, when `touchstream topics` creates it; "
            "by default 7 days, dead-letters 30. Of a topic that is there, it says how to change "
            'it. Example: {"touchpoints.raw": "P30D"}',
        )
    )
    kafka_idempotence: bool = Field(
        True,
        description="Whether producers are idempotent. Turn it off only for the embedded broker.",
    )
    kafka_request_timeout: Duration = Field(
        timedelta(seconds=30), description="How long a producer waits for the broker."
    )
    kafka_rack: str = Field(
        "",
        description="Rack or zone of this process (`broker.rack`). Consumers then read from the "
        "nearest replica.",
    )
    kafka_tls: bool = Field(False, description="Whether the brokers are reached over TLS.")
    kafka_ca_file: File = Field(
        None,
        description="PEM file with the authorities that the brokers' certificates must be signed "
        "by; by default those of the system.",
    )
    kafka_certificate_file: File = Field(
        None, description="PEM file with the client's certificate, if the brokers want one."
    )
    kafka_key_file: File = Field(
        None, description="PEM file with its key; by default it is in the certificate's file."
    )
    kafka_key_password: SecretStr = Field(
        SecretStr(""), description="Password of the client's key, if it is encrypted."
    )
    kafka_user: str = Field("", description="User for PLAIN and SCRAM.")
    kafka_password: SecretStr = Field(SecretStr(""), description="Password of the user.")
    kafka_token_file: File = Field(
        None, description="File with the token for OAUTHBEARER; read again for each connection."
    )
    kafka_token_command: list[str] = Field(
        default_factory=list,
        description="Command, with its arguments, that prints the token for OAUTHBEARER, or JSON "
        "with `access_token`; run again when a connection needs one. "
        'Example: ["/usr/local/bin/token", "--audience", "kafka"]',
    )
    kafka_sasl: Mechanism = Field(
        "",
        description="How to log in: PLAIN, SCRAM-SHA-256, SCRAM-SHA-512 or OAUTHBEARER; empty: "
        "without a login.",
    )

    def topic(self, name: str) -> str:
        """Give the name that our topic `name` has at this Kafka."""
        return f"{self.kafka_prefix}{name}"

    @property
    def kafka_fetch_wait_ms(self) -> int:
        """Give how long a broker may hold a fetch that finds nothing.

        Kafka answers as soon as there is something. The embedded broker, which is the one without
        idempotence, looks again after half of this time.
        """
        return _WAIT_MS if self.kafka_idempotence else _WAIT_EMBEDDED_MS

    @field_validator("kafka_ca_file", "kafka_certificate_file")
    @classmethod
    def _over_tls(cls, path: File, info: ValidationInfo) -> File:
        if path and not info.data.get("kafka_tls"):
            raise ValueError("is used over TLS only: set TOUCHSTREAM_KAFKA_TLS=true too")
        return path

    @field_validator("kafka_key_file")
    @classmethod
    def _with_certificate(cls, path: File, info: ValidationInfo) -> File:
        if path and not info.data.get("kafka_certificate_file"):
            raise ValueError("needs TOUCHSTREAM_KAFKA_CERTIFICATE_FILE, which it belongs to")
        return path

    @field_validator("kafka_sasl")
    @classmethod
    def _with_login(cls, mechanism: Mechanism, info: ValidationInfo) -> Mechanism:
        given = {name for name in _LOGIN if (value := info.data.get(name)) and value != _EMPTY}
        if mechanism == "" and given:
            raise ValueError(f"is empty; a login is given, so set it, e.g. to {_FIRST_CHOICE}")
        if mechanism == "OAUTHBEARER" and len(given & _TOKEN) != 1:
            raise ValueError(
                "OAUTHBEARER needs either TOUCHSTREAM_KAFKA_TOKEN_FILE or "
                "TOUCHSTREAM_KAFKA_TOKEN_COMMAND"
            )
        if mechanism not in ("", "OAUTHBEARER") and not given >= _USER:
            raise ValueError(
                f"{mechanism} needs TOUCHSTREAM_KAFKA_USER and TOUCHSTREAM_KAFKA_PASSWORD"
            )
        return mechanism


_WAIT_MS, _WAIT_EMBEDDED_MS = 500, 100

_USER = frozenset({"kafka_user", "kafka_password"})
_TOKEN = frozenset({"kafka_token_file", "kafka_token_command"})
_LOGIN = _USER | _TOKEN
_EMPTY = SecretStr("")
_FIRST_CHOICE = "SCRAM-SHA-512"

OPEN: dict[str, object] = {
    "kafka_tls": False,
    "kafka_ca_file": None,
    "kafka_certificate_file": None,
    "kafka_key_file": None,
    "kafka_user": "",
    "kafka_password": SecretStr(""),
    "kafka_token_file": None,
    "kafka_token_command": [],
    "kafka_sasl": "",
}
"""The settings of a broker that anybody on this machine may use, as `touchstream up` starts it."""
