"""Settings of the ClickHouse that holds the tables."""

from datetime import timedelta
from typing import Annotated

from pydantic import BaseModel, Field, SecretStr, ValidationInfo, field_validator

from pipeline.settings.kinds import File, RetainedTable, http


class ClickHouseSettings(BaseModel):
    """The ClickHouse that holds the tables."""

    clickhouse_url: str = Field("http://127.0.0.1:8123", description="ClickHouse's HTTP interface.")
    clickhouse_user: str = Field("default", description="ClickHouse user.")
    clickhouse_password: SecretStr = Field(
        SecretStr(""), description="Password of the ClickHouse user."
    )
    clickhouse_ca_file: File = Field(
        None,
        description="PEM file with the authority that ClickHouse's certificate must be signed by, "
        "for an https:// URL; by default those of the system.",
    )
    clickhouse_certificate_file: File = Field(
        None, description="PEM file with the client's certificate, if ClickHouse wants one."
    )
    clickhouse_key_file: File = Field(
        None, description="PEM file with its key; by default it is in the certificate's file."
    )
    clickhouse_database: str = Field("default", description="Database that contains all tables.")
    clickhouse_cluster: str = Field(
        "",
        pattern=r"^[\w.-]*$",
        description="Name of a cluster of one shard in ClickHouse's configuration: then "
        "`touchstream migrate` makes all tables on all its replicas. Set it before the first one.",
    )
    table_retention: dict[RetainedTable, Annotated[timedelta, Field(ge=timedelta(days=1))]] = Field(
        default_factory=dict,
        description="Table -> how long rows are kept, applied by `touchstream migrate` and `up`; a "
        'table without an entry keeps them for ever. Example: {"touchpoints": "P400D"}',
    )

    _http = field_validator("clickhouse_url")(http)

    @field_validator("clickhouse_ca_file", "clickhouse_certificate_file")
    @classmethod
    def _over_https(cls, path: File, info: ValidationInfo) -> File:
        if path and not str(info.data.get("clickhouse_url")).startswith("https://"):
            raise ValueError("is used over TLS only: TOUCHSTREAM_CLICKHOUSE_URL must be https://")
        return path
