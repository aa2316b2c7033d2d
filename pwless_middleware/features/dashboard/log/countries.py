"""The country of a client, from a file of the operator's own: in MaxMind's format, as of GeoLite2.

Nobody else is asked, and no address is kept: an event has the country alone. The file is read into
memory as the process starts, and by Python: the reader in C, and any that maps the file, end the
whole process where it is damaged, or is written over in place. A newer one is seen after the next
start.
"""

from __future__ import annotations

import logging
import os
import re
from typing import TYPE_CHECKING, Final

from pwless_middleware.errors import ConfigError

if TYPE_CHECKING:
    from maxminddb.types import Record

logger = logging.getLogger("pwless.dashboard")

_CODE: Final = re.compile(r"[A-Z]{2}")
_WITHOUT: Final = re.compile(r"asn|isp|domain|connection|anonymous", re.IGNORECASE)
"""Types of such files that have no country in them."""


class Countries:
    """Find the country of a client's network.

    Args:
        path: of the file.

    Raises:
        ConfigError: maxminddb is not installed, or it cannot be read, or has no countries.
    """

    def __init__(self, path: str) -> None:
        try:
            import maxminddb
        except ImportError as error:
            raise ConfigError(
                "geoip", "it needs: pip install 'pwless-middleware[geoip]'"
            ) from error
        try:
            self._reader = maxminddb.open_database(path, maxminddb.MODE_MEMORY)
        except OSError as error:
            why = os.strerror(error.errno) if error.errno else "it cannot be read"
            raise ConfigError("geoip", f"{path}: {why}") from error
        except Exception as error:  # its parser raises whatever a damaged file brings it to
            raise ConfigError(
                "geoip", f"{path} is no file in MaxMind's format: set e.g. GeoLite2-Country.mmdb"
            ) from error
        kind = self._reader.metadata().database_type
        if _WITHOUT.search(kind):
            raise ConfigError("geoip", f"{path} has no countries in it (it is of type {kind})")
        self._has_failed = False

    def __call__(self, network: str) -> str | None:
        """Return the country, ISO 3166-1, or `None` where the file does not say.

        Args:
            network: `core.logins.client.Client.network`.
        """
        try:
            found = self._reader.get(network.partition("/")[0])
        except (ValueError, TypeError):  # a unix socket, or IPv6 in a file of IPv4
            return None
        except Exception:  # as above; an event without a country is better than none
            if not self._has_failed:
                self._has_failed = True
                logger.error("the file of countries is damaged", extra={"event": "geoip_damaged"})
            return None
        return _country_of(found)


def _country_of(record: Record | None) -> str | None:
    """Return the country of a record: of MaxMind, DB-IP or IPinfo."""
    if not isinstance(record, dict):
        return None
    for name in ("country", "country_code", "registered_country"):
        part = record.get(name)
        code = part.get("iso_code") if isinstance(part, dict) else part
        if isinstance(code, str) and _CODE.fullmatch(code):
            return code
    return None
