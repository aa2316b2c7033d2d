"""What an app that is run on one's own machine, and told nothing, keeps beside it: a database, and
the key of the logins in it.

So a restart signs nobody out, and several workers know of each other's logins. Both files are for
their owner alone. That the key stands beside the database is for development only: who has both can
sign in as anybody.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import MutableMapping
from pathlib import Path

from pwless_middleware.cli.importing import UsageError
from pwless_middleware.database.sqlite.mounts import find_network_file_system
from pwless_middleware.database.url import read_sqlite

_SCHEME = "sqlite://"


def complete_database(environ: MutableMapping[str, str], *, name: str = "pwless") -> list[str]:
    """Add a database in the current folder, and a key, where none is set.

    Args:
        environ: the `PWLESS_…` variables; written to.
        name: of the files, without `.db` and `.key`.

    Returns:
        A line for each thing that a person should know.

    Raises:
        UsageError: the file of the key cannot be read or made.
        ConfigError: the URL of the database is none.
    """
    said = []
    if not environ.get("PWLESS_DATABASE_URL", "").strip() and _can_keep(Path.cwd()):
        environ["PWLESS_DATABASE_URL"] = f"{_SCHEME}/{name}.db"
        said.append(f"no PWLESS_DATABASE_URL: logins are kept here, in {name}.db")
    if not environ.get("PWLESS_SECRET_KEY", "").strip():
        url = environ.get("PWLESS_DATABASE_URL", "").strip()
        if url.startswith(_SCHEME):
            file = Path(read_sqlite(url.removeprefix(_SCHEME))[0]).with_suffix(".key")
            environ["PWLESS_SECRET_KEY"] = keep_key(file)
            said.append(f"no PWLESS_SECRET_KEY: it is kept in {file}; commit neither of the two")
        else:
            environ["PWLESS_SECRET_KEY"] = _make_key()
            said.append("no PWLESS_SECRET_KEY: made one; sessions end with this process")
    return said


def keep_key(file: Path) -> str:
    """Return the key in a file, which is made with a fresh one if it is missing.

    Raises:
        UsageError: it cannot be read or made, or is empty.
    """
    try:
        try:
            made = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            file.chmod(0o600)
        else:
            with os.fdopen(made, "w", encoding="ascii") as opened:
                opened.write(f"{_make_key()}\n")
        key = file.read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        folder = file.absolute().parent
        raise UsageError(f"the folder {folder} of the database is missing: make it") from None
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"the key's file {file}: {error}; or set PWLESS_SECRET_KEY") from None
    if not key:
        raise UsageError(f"the key's file {file} is empty: delete it")
    return key


def _can_keep(folder: Path) -> bool:
    return os.access(folder, os.W_OK) and find_network_file_system(str(folder.resolve())) is None


def _make_key() -> str:
    return secrets.token_urlsafe(32)
