"""Settings of Kafka and ClickHouse."""

from datetime import timedelta
from typing import Annotated

from pydantic import BaseModel, Field, SecretStr, field_validator

from pipeline.settings.kinds import Duration, RetainedTable, http


class KafkaSettings(BaseModel):
    """The Kafka that all roles share."""

    kafka_bootstrap_servers: str = Field(
        "127.0.0.1:9092", description="Bootstrap brokers, host:port, separated by commas."
    )
    kafka_partitions: int = Field(
        4, ge=1, description="Partitions of every topic. They cannot be changed once there is data."
    )
    kafka_replication: int = Field(
        1, ge=1, description="Replicas of every partition; 3 in production."
    )
    kafka_idempotence: bool = Field(
        True,
        description="Whether producers are idempotent. Turn it off only for the embedded broker.",
    )
    kafka_request_timeout: Duration = Field(
        timedelta(seconds=30), description="How long a producer waits for the broker."
    )


class ClickHouseSettings(BaseModel):
    """The ClickHouse that holds the tables."""

    clickhouse_url: str = Field("http://127.0.0.1:8123", description="ClickHouse's HTTP interface.")
    clickhouse_user: str = Field("default", description="ClickHouse user.")
    clickhouse_password: SecretStr = Field(
        SecretStr(""), description="Password of the ClickHouse user."
    )
    clickhouse_database: str = Field("default", description="Database that contains all tables.")
    table_retention: dict[RetainedTable, Annotated[timedelta, Field(ge=timedelta(days=1))]] = Field(
        default_factory=dict,
        description="Table -> how long rows are kept, applied by `touchstream migrate` and `up`; a "
        'table without an entry keeps them for ever. Example: {"touchpoints": "P400D"}',
    )

    _http = field_validator("clickhouse_url")(http)
