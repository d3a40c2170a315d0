"""ClickHouse's tables, as the migrations, the model files and the settings want them. Shell."""

from datetime import timedelta
from typing import NamedTuple

from clickhouse_connect.driver.client import Client

from pipeline.settings import Settings
from schemas.journeys import load_models
from sinks.migrate import Migration, migrate, read_migrations
from sinks.models import store_models
from sinks.retention import apply_retention


class Changes(NamedTuple):
    """What had to be done: migrations, and how long altered tables keep their rows (None: ever)."""

    applied: list[Migration]
    altered: dict[str, timedelta | None]


def bring_up_to_date(client: Client, settings: Settings) -> Changes:
    """Apply what is missing; doing it again changes nothing.

    Raises:
        BadModel: a journey model cannot be used; nothing is done.
        MigrationRefused: the database or the server does not fit.
    """
    models = load_models(settings.journey_models)
    applied = migrate(client, read_migrations())
    store_models(client, models)
    retention = {str(table): how_long for table, how_long in settings.table_retention.items()}
    altered = apply_retention(client, retention)
    return Changes(applied, {table: retention.get(table) for table in altered})
