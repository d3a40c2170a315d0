"""Clients for ClickHouse. Shell: connects, decides nothing."""

import logging
from datetime import timedelta
from typing import NamedTuple
from urllib.parse import urlsplit

import clickhouse_connect
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError, OperationalError

from pipeline.settings import Settings
from schemas.errors import Unavailable
from schemas.journeys import load_models
from sinks.migrate import Migration, migrate, read_migrations
from sinks.models import store_models
from sinks.questions import make_questions
from sinks.retention import apply_retention

# Everything it would log also comes as an exception, which people see as an error.
for _library in ("clickhouse_connect", "urllib3"):
    logging.getLogger(_library).setLevel(logging.CRITICAL)

_ANSWER_SECONDS = 100
"""A longer statement is aborted; an insert is then repeated, and counts once."""


class ClickHouseUnavailable(Unavailable):
    """ClickHouse does not answer or refuses the login; the text says what to do."""


def connect(settings: Settings) -> Client:
    """Connect to the ClickHouse of `settings`; the caller closes the client.

    A client runs one statement at a time, but several threads may use it: it has no session.

    Raises:
        ClickHouseUnavailable: nobody answers there, or user, password or database are wrong.
    """
    url = urlsplit(settings.clickhouse_url)
    try:
        return clickhouse_connect.get_client(
            interface=url.scheme,
            host=url.hostname,
            port=url.port or (8443 if url.scheme == "https" else 8123),
            username=settings.clickhouse_user,
            password=settings.clickhouse_password.get_secret_value(),
            database=settings.clickhouse_database,
            autogenerate_session_id=False,
            send_receive_timeout=_ANSWER_SECONDS,
        )
    except OperationalError as error:
        raise ClickHouseUnavailable(
            f"no ClickHouse answers at {settings.clickhouse_url}: start it, or set "
            "TOUCHSTREAM_CLICKHOUSE_URL to its address"
        ) from error
    except ClickHouseError as error:
        raise ClickHouseUnavailable(
            f"ClickHouse at {settings.clickhouse_url} refused the connection: {error}. Check "
            "TOUCHSTREAM_CLICKHOUSE_USER, _PASSWORD and _DATABASE"
        ) from error


class Changes(NamedTuple):
    """What was done: migrations, and how long altered tables keep their rows (None: for ever)."""

    applied: list[Migration]
    altered: dict[str, timedelta | None]


def bring_up_to_date(client: Client, settings: Settings) -> Changes:
    """Apply the missing migrations and settings; repeating it changes nothing.

    Raises:
        BadModel: a journey model cannot be used; nothing is done.
        MigrationRefused: the database or the server does not fit.
    """
    models = load_models(settings.journey_models)
    applied = migrate(client, read_migrations())
    make_questions(client)
    store_models(client, models)
    retention = {str(table): how_long for table, how_long in settings.table_retention.items()}
    altered = apply_retention(client, retention)
    return Changes(applied, {table: retention.get(table) for table in altered})
