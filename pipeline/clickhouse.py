"""Clients for ClickHouse. Shell: connects, decides nothing."""

import logging
from urllib.parse import urlsplit

import clickhouse_connect
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError, OperationalError

from pipeline.settings import Settings

# What it would log reaches us as exceptions, and people as sentences.
logging.getLogger("clickhouse_connect").setLevel(logging.CRITICAL)


class ClickHouseUnavailable(Exception):
    """ClickHouse does not answer or does not let us in; the text says what to do."""


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
        )
    except OperationalError as error:
        raise ClickHouseUnavailable(
            f"no ClickHouse answers at {settings.clickhouse_url}: start it, or set "
            "TOUCHSTREAM_CLICKHOUSE_URL to where it is"
        ) from error
    except ClickHouseError as error:
        raise ClickHouseUnavailable(
            f"ClickHouse at {settings.clickhouse_url} refuses: {error}. Check "
            "TOUCHSTREAM_CLICKHOUSE_USER, _PASSWORD and _DATABASE"
        ) from error
