"""The country of an address, from a database file that the user provides. Shell: reads the file.

The whole address is looked up, because a /24 may span countries. It goes no further than this.
"""

from functools import lru_cache
from pathlib import Path

import maxminddb

from pipeline.privacy.addresses import address_of, host_of
from pipeline.settings import BadSettings

_ADDRESSES = 16_384
_LETTERS = 2


class Countries:
    """Looks up countries in `path`, a MaxMind DB file; without a file, it finds none.

    Raises:
        BadSettings: the file cannot be read.
    """

    def __init__(self, path: Path | None) -> None:
        self._found = lru_cache(maxsize=_ADDRESSES)(self._find)
        self._database: maxminddb.Reader | None = None
        if path is None:
            return
        try:
            # In memory, so that the file may be replaced while this runs.
            self._database = maxminddb.open_database(path, maxminddb.MODE_MEMORY)
        except (OSError, ValueError, maxminddb.InvalidDatabaseError) as error:
            raise BadSettings(
                f"TOUCHSTREAM_COUNTRY_DATABASE: {path} cannot be read ({error}): set it to a "
                "MaxMind DB file (.mmdb), or leave it out"
            ) from error

    def of(self, client: str) -> str:
        """Give two letters for a peer `address:port`, or nothing."""
        return self._found(host_of(client)) if self._database else ""

    def _find(self, host: str) -> str:
        try:
            found = self._database.get(address_of(host)) if self._database else None
        except (ValueError, maxminddb.InvalidDatabaseError):  # no address, or IPv6 in one of IPv4
            return ""
        said = found.get("country") if isinstance(found, dict) else None
        code = said.get("iso_code") if isinstance(said, dict) else said
        if isinstance(code, str) and len(code) == _LETTERS and code.isalpha():
            return code.upper()
        return ""
