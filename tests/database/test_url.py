"""The URL of a database: what it names, and what is said of one that names nothing."""

from __future__ import annotations

import pytest

from pwless_middleware.database.url import make_engine, read_sqlite
from pwless_middleware.errors import ConfigError


@pytest.mark.parametrize(
    ("rest", "path"),
    [
        ("/pwless.db", "pwless.db"),
        ("//var/lib/app/pwless.db", "/var/lib/app/pwless.db"),
        ("/data/pwless.db", "data/pwless.db"),
        ("/C:/app/pwless.db", "C:/app/pwless.db"),
        ("/my%20login%3F%23%25.db", "my login?#%.db"),
        ("/gr%C3%BC%C3%9Fe.db", "grüße.db"),
        ("/grüße.db", "grüße.db"),
    ],
)
def test_path(rest: str, path: str) -> None:
    assert read_sqlite(rest) == (path, True)


@pytest.mark.parametrize(("value", "is_durable"), [("full", True), ("NORMAL", False)])
def test_how_durable_a_commit_is(value: str, is_durable: bool) -> None:
    assert read_sqlite(f"/pwless.db?synchronous={value}") == ("pwless.db", is_durable)


@pytest.mark.parametrize(
    ("rest", "told"),
    [
        ("", "three slashes"),
        ("/", "three slashes"),
        ("pwless.db", "three slashes"),
        ("host/pwless.db", "three slashes"),
        ("/:memory:", "name a file"),
        ("/%3Amemory%3A", "name a file"),
        ("/pwless.db#1", "%23"),
        ("/%ff.db", "UTF-8"),
        ("/a%00b.db", "control character"),
        ("/a\nb.db", "control character"),
        ("/pwless.db?mode=ro", "synchronous=full"),
        ("/pwless.db?synchronous=off", "synchronous=normal"),
        ("/pwless.db?synchronous", "synchronous=normal"),
        ("/pwless.db?synchronous=full&cache=shared", "synchronous=full"),
    ],
)
def test_what_names_no_file_is_told_what_to_write(rest: str, told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        make_engine(f"sqlite://{rest}")


@pytest.mark.parametrize(
    "url", ["", "pwless.db", "mysql://me:hunter2@host/name", b"sqlite:///a", 3]
)
def test_another_url_says_which_there_are_and_shows_no_password(url: object) -> None:
    with pytest.raises(ConfigError, match=r"sqlite:///pwless\.db") as caught:
        make_engine(url)
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("url", ["sqlite:///caf\udce9.db", "postgresql://me:hunter2\udce9@host/x"])
def test_one_that_is_no_utf_8_is_told_without_its_text(url: str) -> None:
    with pytest.raises(ConfigError, match="database: it holds a byte that is no UTF-8") as caught:
        make_engine(url)
    assert caught.value.__context__ is None
