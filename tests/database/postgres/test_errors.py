"""A database that refuses, or is not there: what to do is said, and no secret is shown."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme

from pwless_middleware.database.database import Database
from pwless_middleware.database.statement import Statement
from pwless_middleware.errors import ConfigError, StoreError
from tests.ports import free_port
from tests.postgres_server import FAST, PostgresServer

pytestmark = pytest.mark.anyio

HBA = """
local all all trust
host all pwless 127.0.0.1/32 trust
host all jo 127.0.0.1/32 scram-sha-256
"""


@pytest.fixture(scope="module")
def certificate_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where `ca.pem` is, which has signed the certificate of `strict`, and `other.pem`."""
    folder = tmp_path_factory.mktemp("certificates")
    trustme.CA().cert_pem.write_to_path(folder / "other.pem")
    return folder


@pytest.fixture(scope="module")
def strict(certificate_folder: Path) -> Iterator[PostgresServer]:
    """A server with a user `jo`, who has the password `s3cret`, and few rights."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(certificate_folder / "ca.pem")
    server = PostgresServer(FAST, hba=HBA, certificate=authority.issue_cert("localhost"))
    server.run("CREATE USER jo PASSWORD 's3cret'")
    server.run("CREATE DATABASE latin ENCODING 'LATIN1' TEMPLATE template0")
    yield server
    server.close()


async def refused(url: str) -> str:
    """Return what `open` says."""
    database = Database(url)
    with pytest.raises((ConfigError, StoreError)) as raised:
        await database.open()
    await database.aclose()
    error = raised.value
    assert "s3cret" not in f"{error!r} {error.__cause__!r} {database!r} {vars(database)!r}"
    return f"{type(error).__name__} {error}"


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("jo:s3cretive@127.0.0.1:{port}/pwless", "ConfigError .* user name or password"),
        ("ann:s3cret@127.0.0.1:{port}/pwless", 'ConfigError .* no pg_hba.conf entry .*"ann"'),
        ("pwless@127.0.0.1:{port}/other", "ConfigError .* no such database: make it"),
        ("pwless@127.0.0.1:{port}/latin", "ConfigError .* LATIN1: make one in UTF8"),
        ("pwless@127.0.0.1:{port}/pwless?colour=red", 'ConfigError .* unknown .*"colour"'),
        ("pwless@127.0.0.1:{port}/pwless?lock_timeout=x", "ConfigError .*lock_timeout"),
        ("pwless@127.0.0.1:{port}/pwless?sslmode=some", "ConfigError .*sslmode"),
        ("pwless@127.0.0.1:{port}/pwless?{tls}/ca.pem", "ConfigError .* the name it is made for"),
        ("pwless@localhost:{port}/pwless?{tls}/other.pem", "ConfigError .*sslrootcert="),
        ("jo:s3cret@127.0.0.1:{port}/pwless", "StoreError .* may not do this .*GRANT"),
        ("jo:s3cret@127.0.0.1:{free}/pwless", "StoreError .* is it running"),
        ("jo:s3cret@nowhere.invalid/pwless", "StoreError .* host of the URL is not found"),
    ],
)
async def test_what_to_do_is_said(
    url: str, told: str, strict: PostgresServer, certificate_folder: Path
) -> None:
    tls = f"sslmode=verify-full&sslrootcert={certificate_folder}"
    places = {"port": strict.port, "free": free_port(), "tls": tls}
    if "sslmode" not in url and "{tls}" not in url:
        # TLS takes its time to say goodbye, and the loop of this test ends at once.
        url += "&sslmode=disable" if "?" in url else "?sslmode=disable"
    answer = await refused("postgresql://" + url.format(**places))
    assert re.search(told, answer), answer


async def test_a_certificate_is_checked_by_the_parameters_of_the_url(
    strict: PostgresServer, certificate_folder: Path
) -> None:
    where = f"postgresql://pwless@localhost:{strict.port}/pwless"
    database = Database(f"{where}?sslmode=verify-full&sslrootcert={certificate_folder}/ca.pem")
    tls = Statement("", postgres="SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()")
    assert await database.fetch(tls()) == [(True,)]
    await database.aclose()


async def test_a_server_without_tls_says_so(server: PostgresServer) -> None:
    answer = await refused(f"{server.url}?sslmode=require")
    assert answer.startswith("ConfigError database: PostgreSQL: sslmode asks for TLS")


async def test_a_password_that_changes_later_is_an_outage(strict: PostgresServer) -> None:
    """It stays an error of the moment: the next try may find the right one again."""
    strict.run("CREATE DATABASE jo OWNER jo")
    database = Database(f"postgresql://jo:s3cret@127.0.0.1:{strict.port}/jo?pool_size=1")
    select = Statement("SELECT 1")
    await database.fetch(select())
    strict.run("ALTER USER jo PASSWORD 'other'")
    strict.terminate_connections()
    with pytest.raises(StoreError, match="user name or password"):
        await database.fetch(select())
    strict.run("ALTER USER jo PASSWORD 's3cret'")
    assert await database.fetch(select()) == [(1,)]
    await database.aclose()


async def test_one_with_no_connection_left_says_how_to_need_fewer(server: PostgresServer) -> None:
    server.run("CREATE USER few CONNECTION LIMIT 0")
    assert "pool_size" in await refused(server.url.replace("pwless@", "few@"))


def test_asyncpg_is_imported_with_its_url_only() -> None:
    script = (
        "import sys\n"
        "from pwless_middleware import Outbox, Passwordless\n"
        "from pwless_middleware.database.database import Database\n"
        "Database('sqlite:///pwless.db')\n"
        "assert 'asyncpg' not in sys.modules\n"
        "Database('postgresql://host/name')\n"
        "assert 'asyncpg' in sys.modules\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_without_asyncpg_the_extra_is_named() -> None:
    script = (
        "import sys\n"
        "sys.modules['asyncpg'] = None\n"
        "from pwless_middleware.database.database import Database\n"
        "Database('postgresql://jo:s3cret@host/name')\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert "pip install 'pwless-middleware[postgres]'" in done.stderr
    assert "s3cret" not in done.stderr.replace(script, "")
