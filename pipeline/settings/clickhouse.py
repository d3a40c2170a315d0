"""Settings of the ClickHouse that holds the tables."""

from datetime import timedelta
from typing import Annotated

from pydantic import BaseModel, Field, SecretStr, field_validator

from pipeline.settings.kinds import RetainedTable, http


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
