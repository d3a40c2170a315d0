"""Clients for ClickHouse. Shell: connects, decides nothing."""

import logging
from datetime import timedelta
from pathlib import Path
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


_TLS_MODES = {True: "strict", False: "mutual"}
"""With a password a client's certificate only opens the connection; without, it is the login."""


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
            ca_cert=_path(settings.clickhouse_ca_file),
            client_cert=_path(settings.clickhouse_certificate_file),
            client_cert_key=_path(settings.clickhouse_key_file),
            tls_mode=_TLS_MODES[bool(settings.clickhouse_password.get_secret_value())],
        )
    except OperationalError as error:
        raise ClickHouseUnavailable(_why_no_answer(settings, error)) from error
    except ClickHouseError as error:
        raise ClickHouseUnavailable(
            f"ClickHouse at {settings.clickhouse_url} refused the connection: {error}. Check "
            "TOUCHSTREAM_CLICKHOUSE_USER, _PASSWORD and _DATABASE"
        ) from error


def _path(file: Path | None) -> str | None:
    return str(file) if file else None


def _why_no_answer(settings: Settings, error: OperationalError) -> str:
    where = settings.clickhouse_url
    over_tls = (
        f", and check TOUCHSTREAM_CLICKHOUSE_CA_FILE and _CERTIFICATE_FILE ({error})"
        if where.startswith("https://")
        else ""
    )
    return (
        f"no ClickHouse answers at {where}: start it, or set TOUCHSTREAM_CLICKHOUSE_URL to its "
        f"address{over_tls}"
    )


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
    applied = migrate(client, read_migrations(), settings.clickhouse_cluster)
    make_questions(client, settings.clickhouse_cluster)
    store_models(client, models)
    retention = {str(table): how_long for table, how_long in settings.table_retention.items()}
    altered = apply_retention(client, retention)
    return Changes(applied, {table: retention.get(table) for table in altered})
