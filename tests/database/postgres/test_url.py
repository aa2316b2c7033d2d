"""What the URL of a PostgreSQL database says, and how a wrong one is refused."""

from __future__ import annotations

import pytest

from pwless_middleware.database.postgres.url import PostgresUrl, read_postgres
from pwless_middleware.errors import ConfigError


def read(url: str) -> PostgresUrl:
    return read_postgres(url)


@pytest.mark.parametrize(
    ("url", "hosts"),
    [
        ("postgresql://jo@db.example.com/name", (("db.example.com", 5432),)),
        ("postgres://db:6000/name", (("db", 6000),)),
        ("postgresql:///name", (("localhost", 5432),)),
        ("postgresql:///name?host=/run/postgresql", (("/run/postgresql", 5432),)),
        ("postgresql:///name?host=/run/pg&port=6001", (("/run/pg", 6001),)),
        ("postgresql://%2Frun%2Fpg/name", (("/run/pg", 5432),)),
        ("postgresql://[::1]/name", (("::1", 5432),)),
        ("postgresql://[::1]:6000/name", (("::1", 6000),)),
        ("postgresql://one:1,two:2/name", (("one", 1), ("two", 2))),
        ("postgresql:///name?host=one,two&port=1", (("one", 1), ("two", 1))),
    ],
)
def test_where_it_is(url: str, hosts: tuple[tuple[str, int], ...]) -> None:
    found = read(url)
    assert found.hosts == hosts
    assert found.options["database"] == "name"


def test_what_is_encoded_is_decoded_and_not_shown() -> None:
    found = read("postgresql://j%40:p%2F%40%23w@db/a%20name")
    assert found.options["user"] == "j@"
    assert found.options["password"] == "p/@#w"
    assert found.options["database"] == "a name"
    assert "p/@#w" not in repr(found)
    assert "w@db" not in repr(found)


def test_what_is_not_ours_is_passed_on() -> None:
    dsn = read("postgresql://db/name?sslmode=require&pool_size=3&lock_timeout=9").options["dsn"]
    assert "sslmode=require" in dsn
    assert "lock_timeout=9" in dsn
    assert "idle_in_transaction_session_timeout=3000" in dsn
    assert "pool_size" not in dsn


def test_the_size_of_the_pool() -> None:
    assert read("postgresql://db/name").pool_size == 8
    assert read("postgresql://db/name?pool_size=2").pool_size == 2


def test_pgbouncer_is_told_nothing_that_it_does_not_know() -> None:
    found = read("postgresql://db/name?pgbouncer=true")
    assert found.is_pooled
    assert found.options["statement_cache_size"] == 0
    assert "timeout" not in found.options["dsn"]
    assert "application_name" not in found.options["dsn"]


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("postgresql://jo:s3cret@db", "end in the name of the database"),
        ("postgresql://jo:s3cret@db/", "end in the name of the database"),
        ("postgresql://jo:s3/cret@db/name", "%2F"),
        ("postgresql://jo:s3#cret@db/name", "%23"),
        ("postgresql://jo:s3?cret@db/name", "name=value"),
        ("postgresql://jo:s3@cret@db/name", "%40"),
        ("postgresql://jo:s3cret@db:port/name", "port is no number"),
        ("postgresql://jo:s3cret@db:65536/name", "port is no number"),
        ("postgresql://jo:s3cret@[db/name", "name=value"),
        ("postgresql://jo:s3cret@db/name?pool_size", "name=value"),
        ("postgresql://jo:s3cret@db/name?pool_size=0", "pool_size"),
        ("postgresql://jo:s3cret@db/name?pool_size=many", "pool_size"),
        ("postgresql://jo:s3cret@db/name?pgbouncer=yes", "true or false"),
    ],
)
def test_a_wrong_one_says_what_to_write_and_shows_no_password(url: str, told: str) -> None:
    with pytest.raises(ConfigError, match=told) as raised:
        read(url)
    assert "cret" not in str(raised.value)
    assert raised.value.__cause__ is None
    assert raised.value.__suppress_context__ or raised.value.__context__ is None
