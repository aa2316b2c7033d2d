"""The URL of a database: which kind it is, and what it says about it.

    sqlite:///pwless.db                     beside where the process was started
    sqlite:////var/lib/app/pwless.db        from the root; `sqlite:///C:/app/pwless.db` on Windows
    sqlite:///pwless.db?synchronous=normal  quicker; a power cut may take the last moments

A path may be percent-encoded, and has to be where it holds `?`, `#` or `%`. No error repeats a URL:
it may hold a password.
"""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import parse_qsl, unquote

from pwless_middleware.core.control_characters import CONTROL
from pwless_middleware.core.options.options import check_encodable
from pwless_middleware.database.base import Engine
from pwless_middleware.database.postgres.url import read_postgres
from pwless_middleware.errors import ConfigError

EXAMPLES: Final = '"sqlite:///pwless.db" or "postgresql://user:password@host/name"'

_CONTROL = re.compile(f"[{CONTROL}]")
_SYNCHRONOUS = {"full": True, "normal": False}


def make_engine(url: object) -> Engine:
    """Return the kind of database that a URL names; nothing is opened.

    Raises:
        ConfigError: it is no URL of a database, and what to set.
    """
    text = url if isinstance(url, str) else ""
    check_encodable("database", text)
    scheme, separator, rest = text.partition("://")
    if scheme == "sqlite" and separator:
        from pwless_middleware.database.sqlite.engine import SqliteEngine

        path, is_durable = read_sqlite(rest)
        return SqliteEngine(path, is_durable=is_durable)
    if scheme in ("postgresql", "postgres"):
        try:
            from pwless_middleware.database.postgres.engine import PostgresEngine
        except ImportError as error:
            raise ConfigError(
                "database", "postgresql:// needs: pip install 'pwless-middleware[postgres]'"
            ) from error
        return PostgresEngine(read_postgres(text))
    raise ConfigError("database", f"set {EXAMPLES}")


def read_sqlite(rest: str) -> tuple[str, bool]:
    """Return the path, and whether each commit is to outlast a power cut.

    Args:
        rest: of the URL, behind `sqlite://`.

    Raises:
        ConfigError: it names no file, or something that there is not.
    """
    path, _, query = rest.partition("?")
    if not path.startswith("/") or path == "/":
        raise ConfigError("database", 'a SQLite file has three slashes: "sqlite:///pwless.db"')
    if "#" in rest:
        raise ConfigError("database", 'write "#" in the path of a SQLite file as "%23"')
    try:
        path = unquote(path[1:], errors="strict")
    except UnicodeDecodeError:
        raise ConfigError(
            "database", "the path of a SQLite file is percent-encoded UTF-8"
        ) from None
    if _CONTROL.search(path):
        raise ConfigError("database", "the path of a SQLite file has a control character")
    if path == ":memory:":
        raise ConfigError(
            "database",
            "a database in memory is gone with its connection: name a file, in a test one in a "
            "temporary folder, or leave database= away to keep everything in the process",
        )
    return path, _read_synchronous(query)


def _read_synchronous(query: str) -> bool:
    is_durable = True
    for name, value in parse_qsl(query, keep_blank_values=True):
        if name != "synchronous" or value.lower() not in _SYNCHRONOUS:
            raise ConfigError(
                "database",
                "the URL of a SQLite file takes one parameter: synchronous=full (the default) or "
                "synchronous=normal",
            )
        is_durable = _SYNCHRONOUS[value.lower()]
    return is_durable
